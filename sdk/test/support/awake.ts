import { readFile, writeFile } from "node:fs/promises";
import initSqlJs from "sql.js";

/**
 * Lets a store that is not served remember that it was awake for the last hour: it takes no token
 * from a time that it does not remember.
 */
export async function wasAwakeForAnHour(database: string): Promise<void> {
  const SQL = await initSqlJs();
  const bytes = await readFile(database);
  // sql.js has no shared memory, so it opens no file whose header asks for a write-ahead log. A
  // server that was stopped has left the log empty, and the next asks for one again.
  bytes[18] = 1;
  bytes[19] = 1;
  const opened = new SQL.Database(bytes);
  const now = Date.now();
  opened.run("INSERT INTO awake (run, since, until) VALUES (1, ?, ?)", [now - 3_600_000, now]);
  await writeFile(database, opened.export());
  opened.close();
}
