// The pages about the shop itself. They say what is so of the demo, and what a real shop has to fill in.

import { useLoaded } from "./loaded";
import styles from "./legal.module.css";
import { Skeletons, Trouble } from "./pieces";
import { useShop } from "./shop";
import type { Language, Topic } from "./texts";
import { useTitle } from "./title";

export interface Paper {
  readonly about: string;
  readonly parts: readonly {
    readonly title: string;
    readonly text: readonly string[];
    /** What is missing here, because this is a demo. */
    readonly fillIn?: string;
  }[];
}
export type Papers = Readonly<Record<Topic, Paper>>;

async function papersIn(language: Language): Promise<Papers> {
  if (language === "ru") return (await import("./legal.ru")).papers;
  if (language === "ky") return (await import("./legal.ky")).papers;
  return (await import("./legal.en")).papers;
}

export function LegalPage({ topic }: { topic: Topic }) {
  const { t, language, here, money } = useShop();
  const { value, error, again } = useLoaded(() => papersIn(language), [language]);
  const title = t.topics[topic];
  useTitle(title);
  if (error !== undefined) return <Trouble error={error} again={again} />;
  if (value === undefined) return <Skeletons count={2} />;
  const { about, parts } = value[topic];
  return (
    <article className={`sheet ${styles.legal}`}>
      <h1>{title}</h1>
      <p className={styles.about}>{about}</p>
      {topic === "delivery" && here && (
        <p>
          {t.deliveryCosts(money(here.shipping.flat, here.currency_code))}{" "}
          {here.shipping.free_from !== null &&
            t.deliveryFreeFrom(money(here.shipping.free_from, here.currency_code))}
        </p>
      )}
      {parts.map(({ title, text, fillIn }) => (
        <section key={title}>
          <h2>{title}</h2>
          {text.map((one) => (
            <p key={one}>{one}</p>
          ))}
          {fillIn !== undefined && (
            <p className={styles.fillIn}>
              <b>{t.fillIn}:</b> {fillIn}
            </p>
          )}
        </section>
      ))}
    </article>
  );
}
