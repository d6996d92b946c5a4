import { test } from "../fixtures.ts";
import { dropDownAnswers } from "./dropdown.ts";

test.use({ scenario: "fleet=500" });
dropDownAnswers(500);
