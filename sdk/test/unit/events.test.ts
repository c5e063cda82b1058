// Server-sent events are the same, wherever the network cuts them.

import { expect, test } from "vitest";
import { EventReader } from "../../src/live.js";

const STREAM =
  ': hello\nevent: cart\nid: 7\ndata: {"a":"é🛒"}\n\nretry: 1500\r\ndata:one\r\ndata: two\r\n\r\n:\n\nevent: signed_out\rdata: {}\r\r';

test("events are read, cut anywhere", () => {
  const bytes = new TextEncoder().encode(STREAM);
  for (let size = 1; size <= bytes.length; size += 1) {
    const events: [string, string][] = [];
    const reader = new EventReader((event, data) => events.push([event, data]));
    let retry: number | undefined;
    for (let at = 0; at < bytes.length; at += size)
      retry = reader.feed(bytes.slice(at, at + size)) ?? retry;
    // A lone CR at the very end waits for what may follow it.
    reader.feed(new TextEncoder().encode("\n"));
    expect(events, `cut every ${size} bytes`).toEqual([
      ["cart", '{"a":"é🛒"}'],
      ["message", "one\ntwo"],
      ["signed_out", "{}"],
    ]);
    expect(retry).toBe(1500);
  }
});
