// Installs, builds and runs the examples against a shop, in a folder that has a copy of them and the packed
// SDK: `node run.mjs FOLDER SHOP [NAME…]`. `cargo xtask examples` makes the folder and starts the shop.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";

const START_MAX_MS = 60_000;
const STEP_MAX_MS = 30_000;
const NPM = process.platform === "win32" ? "npm.cmd" : "npm";

/** How each is tried. Those with a page show the same things, so that one visit fits all. */
const EXAMPLES = {
    node: { try: script },
    "vite-react": { build: true, try: page(["--", "--strictPort", "--port"]) },
    "tanstack-query": { build: true, try: page(["--", "--strictPort", "--port"]) },
    worker: { build: true, try: worker },
    next: { build: true, try: page(["--", "--port"]) },
    vue: { build: true, try: page(["--", "--strictPort", "--port"]) },
    svelte: { build: true, try: page(["--", "--strictPort", "--port"]) },
    // Its build bundles it for Android; running that needs a phone.
    expo: { build: true, try: () => undefined },
};

const [folder, shop, ...named] = process.argv.slice(2);
// Each way of building hands its environment to the page under another name.
const ENVIRONMENT = {
    ...process.env,
    SHOP_URL: shop,
    VITE_SHOP_URL: shop,
    NEXT_PUBLIC_SHOP_URL: shop,
    EXPO_PUBLIC_SHOP_URL: shop,
    NEXT_TELEMETRY_DISABLED: "1",
    EXPO_NO_TELEMETRY: "1",
    CI: "1",
};

let customers = 0;
/** A phone that no other example has. */
function newPhone() {
    customers += 1;
    return `+1312555${String(1000 + customers)}`;
}

/** Runs a program to its end and returns what it says. */
function run(name, program, ...given) {
    const { status, stdout, stderr, error } = spawnSync(program, given, {
        cwd: join(folder, name),
        env: ENVIRONMENT,
        encoding: "utf8",
    });
    if (status === 0) return stdout;
    const said = error?.message ?? `${stdout}\n${stderr}`.trim();
    throw new Error(`\`${program} ${given.join(" ")}\` in examples/${name} failed:\n${said}`);
}

function script(name) {
    const said = run(name, NPM, "start", "--", newPhone());
    assert.match(said, /order #\d+ over/);
}

/** Serves an example on `port` while `visit` looks at it. */
async function served(name, port, given, visit) {
    const server = spawn(NPM, ["start", ...given], {
        cwd: join(folder, name),
        env: ENVIRONMENT,
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
    });
    let said = "";
    for (const out of [server.stdout, server.stderr]) out.on("data", (text) => (said += text));
    const url = `http://localhost:${port}`;
    try {
        for (const end = Date.now() + START_MAX_MS; ;) {
            if (
                await fetch(url).then(
                    (answer) => answer.ok,
                    () => false,
                )
            )
                break;
            if (Date.now() > end || server.exitCode !== null)
                throw new Error(`examples/${name} does not answer at ${url}. It said:\n${said}`);
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
        await visit(url);
    } finally {
        // With what npm has started.
        process.kill(-server.pid, "SIGTERM");
    }
}

async function worker(name) {
    await served(name, 8787, [], async (url) => {
        const [{ sku_id }] = await (await fetch(url)).json();
        const phone = newPhone();
        const post = (to, body) =>
            fetch(to, {
                method: "POST",
                headers: { "Content-Type": "application/json" },
                body: JSON.stringify(body),
            });
        const sent = await (await post(`${shop}/auth/send-code`, { phone })).json();
        const wrong = await post(`${url}/buy`, { phone, code: "000000", sku_id });
        assert.equal((await wrong.json()).code, "code_invalid");
        const bought = await post(`${url}/buy`, { phone, code: sent.demo_code, sku_id });
        assert.equal(bought.status, 201, await bought.clone().text());
        assert.match((await bought.json()).order, /^#\d+$/);
    });
}

function page(given) {
    return async (name) => {
        const port = await freePort();
        await served(name, port, [...given, String(port)], (url) => visit(name, url));
    };
}

/** A guest adds something, signs in, and orders it. The page is of another origin than the shop. */
async function visit(name, url) {
    const browser = await chromium();
    try {
        const tab = await browser.newPage();
        tab.setDefaultTimeout(STEP_MAX_MS);
        const wrong = [];
        tab.on("pageerror", (error) => wrong.push(error.message));
        tab.on("console", (message) => {
            // A favicon is the only thing that may be missing.
            const isIcon = message.location().url.endsWith("/favicon.ico");
            if (message.type() === "error" && !isIcon) wrong.push(message.text());
        });
        await tab.goto(url);
        await tab.getByRole("button", { name: /^Add/ }).first().click();
        await tab.getByText("1 in the cart").waitFor();
        await tab.getByLabel("Phone").fill(newPhone());
        await tab.getByRole("button", { name: "Send code" }).click();
        await tab.waitForFunction(() =>
            /^\d{6}$/.test(document.querySelector("input")?.value ?? ""),
        );
        await tab.getByRole("button", { name: "Sign in" }).click();
        await tab.getByRole("button", { name: "Order" }).click();
        await tab.getByText(/Order #\d+ is placed/).waitFor();
        await tab.getByText("0 in the cart").waitFor();
        assert.deepEqual(wrong, [], `examples/${name} wrote errors to the console`);
    } finally {
        await browser.close();
    }
}

/** The browser that the demo shop is tried in. */
async function chromium() {
    const ofShop = createRequire(new URL("../storefront/package.json", import.meta.url));
    const packaged = (await import(ofShop.resolve("@sparticuz/chromium"))).default;
    const executablePath = process.env.CHROMIUM_BIN ?? (await packaged.executablePath());
    const { chromium: playwright } = ofShop("playwright-core");
    try {
        return await playwright.launch({ executablePath, args: ["--no-sandbox"] });
    } catch (error) {
        throw new Error(
            `The browser ${executablePath} does not start: ${error.message}. Name another Chromium ` +
                "in CHROMIUM_BIN.",
        );
    }
}

async function freePort() {
    const server = createServer().listen(0);
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

const names = named.length > 0 ? named : Object.keys(EXAMPLES);
for (const name of names) {
    const example = EXAMPLES[name];
    if (example === undefined)
        throw new Error(
            `There is no example ${name}; there are ${Object.keys(EXAMPLES).join(", ")}.`,
        );
    const begun = Date.now();
    run(name, NPM, "install", "--prefer-offline", "--no-package-lock");
    if (example.build) run(name, NPM, "run", "build");
    await example.try(name);
    console.log(`examples/${name} works (${Math.round((Date.now() - begun) / 1000)} s)`);
}
