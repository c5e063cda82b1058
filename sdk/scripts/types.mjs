// Writes src/schema.ts from the server's checked-in API document; with --check only compares.

import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const DOCUMENT = new URL("../../crates/evercart-http/openapi.json", import.meta.url);
const TYPES = new URL("../src/schema.ts", import.meta.url);
const HEADER = `// Generated from the server's API document by \`npm run types\`; never edited.\n\n`;

/** What may be null has its description beside the reference, where the generator does not look. */
function lifted(key, value) {
    const description = value?.oneOf?.find((each) => each.$ref)?.description;
    return description && !value.description ? { description, ...value } : value;
}

const document = JSON.parse(await readFile(DOCUMENT, "utf8"), lifted);
const generated = HEADER + astToString(await openapiTS(document));
if (!process.argv.includes("--check")) {
    await writeFile(TYPES, generated);
    console.log("wrote src/schema.ts");
} else if ((await readFile(TYPES, "utf8").catch(() => "")) === generated) {
    console.log("src/schema.ts says what the API document says");
} else {
    console.error(
        "src/schema.ts is out of date: run `npm run types` in sdk/ and look at the change",
    );
    process.exitCode = 1;
}
