import { test } from "../fixtures.ts";
import { dropDownAnswers } from "./dropdown.ts";

test.use({ scenario: "fleet=5000" });
dropDownAnswers(5000);
