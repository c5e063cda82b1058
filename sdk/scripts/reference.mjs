// Writes docs/sdk-reference.md from the package's types and their comments; with --check only compares.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const PAGE = new URL("../../docs/sdk-reference.md", import.meta.url);
const ENTRIES = [
    ["evercart", "src/index.ts"],
    ["evercart/react", "src/react.ts"],
    ["evercart/testing", "src/testing.ts"],
];
const INTRODUCTION = `# The SDK, call by call

Generated from the types of the npm package \`evercart\` by \`npm run reference\` in \`sdk/\`; never edited. How the parts
are used is told in [sdk.md](sdk.md).
`;

const root = fileURLToPath(new URL("../", import.meta.url));
const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const program = ts.createProgram(
    ENTRIES.map(([, file]) => root + file),
    options,
);
const checker = program.getTypeChecker();
const FORMAT =
    ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope;

/** The comment above a declaration, as one paragraph or list. */
function comment(symbol) {
    return ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
}

function isHidden(symbol) {
    return (
        symbol.name.startsWith("#") ||
        symbol.name.startsWith("__") ||
        symbol.getJsDocTags(checker).some((tag) => tag.name === "internal")
    );
}

/** A declaration's own text: what its author wrote is what its reader should see. */
function written(symbol) {
    const [declaration] = symbol.declarations;
    if (ts.isMethodDeclaration(declaration) || ts.isFunctionDeclaration(declaration)) {
        const signature = checker.getSignatureFromDeclaration(declaration);
        const generics = declaration.typeParameters?.map((each) => each.getText()).join(", ");
        const parameters = declaration.parameters.map((each) =>
            each.getText().replace(/\s+/g, " "),
        );
        const result = checker.typeToString(signature.getReturnType(), declaration, FORMAT);
        const returns = declaration.type?.getText() ?? result;
        return `${symbol.name}${generics ? `<${generics}>` : ""}(${parameters.join(", ")}): ${returns}`;
    }
    if (ts.isGetAccessor(declaration))
        return `${symbol.name}: ${declaration.type?.getText() ?? ""}`;
    return declaration
        .getText()
        .replace(/;$/, "")
        .replace(/^(override )?readonly /, "");
}

function members(symbol) {
    const lines = [];
    for (const member of symbol.members?.values() ?? []) {
        const [declaration] = member.declarations ?? [];
        const isNamed =
            declaration &&
            (ts.isMethodDeclaration(declaration) ||
                ts.isMethodSignature(declaration) ||
                ts.isPropertyDeclaration(declaration) ||
                ts.isPropertySignature(declaration) ||
                ts.isGetAccessor(declaration));
        if (!isNamed || isHidden(member)) continue;
        const code = written(member).replace(/\s+/g, " ");
        const text = comment(member)
            .replace(/\n(?!\s*-)/g, " ")
            .replace(/\n/g, "\n  ");
        lines.push(`- \`${code}\`${text ? `  \n  ${text}` : ""}`);
    }
    return lines;
}

/** The fields of a shape that comes from the server. */
function fields(symbol) {
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    return checker.getPropertiesOfType(type).map((field) => {
        const of = field.declarations[0].type
            .getText()
            .replace(/components\["schemas"\]\["(\w+)"\]/g, "$1")
            .replace(/\bAmount\b/g, "number")
            .replace(/\bTime\b/g, "string");
        const optional = field.flags & ts.SymbolFlags.Optional ? "?" : "";
        const tag = field.getJsDocTags(checker).find((each) => each.name === "description");
        const said = ts.displayPartsToString(tag?.text) || comment(field);
        const text = said.replace(/^Format: \w+$/, "").replace(/\s+/g, " ");
        return `- \`${field.name}${optional}: ${of}\`${text ? `  \n  ${text}` : ""}`;
    });
}

function section(exported) {
    const symbol =
        exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const [declaration] = symbol.declarations;
    const lines = [`### ${exported.name}`, ""];
    const text = comment(symbol).replace(/\n(?!\s*-)/g, " ");
    if (ts.isFunctionDeclaration(declaration)) lines.push("```ts", written(symbol), "```", "");
    const isAlias = ts.isTypeAliasDeclaration(declaration);
    // The server's shapes are shown field by field, its words all of them, others as they were written.
    const isOfServer = isAlias && /\bSchemas\[/.test(declaration.type.getText());
    const type = isAlias && checker.getDeclaredTypeOfSymbol(symbol);
    const isWords = isOfServer && type.isUnion() && type.types.every((one) => one.isLiteral());
    const isServers = isOfServer && !isWords;
    if (isWords) {
        const words = type.types.map((one) => JSON.stringify(one.value)).join(" | ");
        lines.push("```ts", `type ${exported.name} = ${words}`, "```", "");
    } else if (isAlias && !isServers) {
        const code = declaration.getText().replace(/^export /, "");
        lines.push("```ts", code, "```", "");
    }
    if (text) lines.push(text, "");
    const [base] = declaration.heritageClauses?.flatMap((clause) => clause.types) ?? [];
    if (ts.isInterfaceDeclaration(declaration) && base)
        lines.push(`With all of \`${base.getText()}\`, and:`, "");
    const list = isServers ? fields(symbol) : isAlias ? [] : members(symbol);
    if (list.length > 0) lines.push(...list, "");
    return lines.join("\n");
}

const parts = [INTRODUCTION];
for (const [name, file] of ENTRIES) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(root + file));
    const exported = checker.getExportsOfModule(module).filter((symbol) => {
        const target =
            symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
        const source = target.declarations[0].getSourceFile().fileName;
        return !source.endsWith("schema.ts");
    });
    const rank = (symbol) => (/^(create|is|memory|use)/.test(symbol.name) ? 0 : 1);
    const sorted = exported.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
    parts.push(`## \`${name}\`\n`, ...sorted.map(section));
}
const generated = `${parts.join("\n").trimEnd()}\n`;
const page = await readFile(PAGE, "utf8").catch(() => "");
if (!process.argv.includes("--check")) {
    await writeFile(PAGE, generated);
    console.log("wrote docs/sdk-reference.md");
} else if (page === generated) {
    console.log("docs/sdk-reference.md says what the types say");
} else {
    console.error("docs/sdk-reference.md is out of date: run `npm run reference` in sdk/");
    process.exitCode = 1;
}
