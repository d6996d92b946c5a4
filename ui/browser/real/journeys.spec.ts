// The journeys of people, one after the other on one stage. One worker, in this order; what fails does not keep the others from
// being played.

import { changing } from "./changing.ts";
import { everybody } from "./everybody.ts";
import { following } from "./following.ts";
import { joining } from "./joining.ts";
import { many } from "./many.ts";
import { stalls } from "./stalls.ts";
import { strangers } from "./strangers.ts";
import { test } from "./stage.ts";
import { views } from "./views.ts";

test.describe("joining", joining);
test.describe("views", views);
test.describe("changing", changing);
test.describe("following", following);
test.describe("everybody", everybody);
test.describe("stalls", stalls);
test.describe("strangers", strangers);
test.describe("many", many);
