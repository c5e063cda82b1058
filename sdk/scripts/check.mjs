// Checks the types of the sources, and of the tests with them.

import { tsc } from "./compiler.mjs";

tsc("--noEmit");
tsc("-p", "tsconfig.test.json");
