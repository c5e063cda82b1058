// That the browser is to the shop what a customer's is.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "./shop";

test("each tab is a process of its own", async ({ page, context, server }) => {
  const other = await context.newPage();
  for (const tab of [page, other]) await tab.goto(`${server.url}/shop`);
  const crashed: string[] = [];
  page.on("crash", () => crashed.push("first"));
  other.on("crash", () => crashed.push("second"));
  // A crash takes the whole process along.
  const devtools = await context.newCDPSession(page);
  void devtools.send("Page.crash").catch(() => undefined);
  await expect.poll(() => crashed).toEqual(["first"]);
  await other.reload();
  await expect(other.getByRole("banner")).toBeVisible();
  expect(crashed).toEqual(["first"]);
});

test("no page reads what another origin did not allow it to", async ({ page, server }) => {
  let isAsked = false;
  const elsewhere = createServer((_, response) => {
    isAsked = true;
    response.end("secret");
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  const { port } = elsewhere.address() as AddressInfo;
  // The shop's own rules would not even let it ask.
  await page.goto(`${server.url}/healthz`);
  const read = await page.evaluate(
    (url) =>
      fetch(url).then(
        (answer) => answer.text(),
        () => "refused",
      ),
    `http://127.0.0.1:${port}/`,
  );
  elsewhere.close();
  expect({ isAsked, read }).toEqual({ isAsked: true, read: "refused" });
});
