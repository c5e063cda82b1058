// The pages about the shop itself, which the footer leads to.

import { expect, test } from "./shop";

for (const { locale, links, fillIn } of [
  {
    locale: "en-US",
    links: ["Terms", "Privacy", "Delivery & returns", "Contact"],
    fillIn: "A real shop fills in:",
  },
  {
    locale: "ru-RU",
    links: ["Условия", "Конфиденциальность", "Доставка и возврат", "Контакты"],
    fillIn: "Настоящий магазин указывает:",
  },
  {
    locale: "ky-KG",
    links: ["Шарттар", "Купуялык", "Жеткирүү жана кайтаруу", "Байланыш"],
    fillIn: "Чыныгы дүкөн бул жерге жазат:",
  },
])
  test.describe(`in ${locale}`, () => {
    test.use({ locale });

    test("the footer leads to pages that say what is so, and what a real shop fills in", async ({
      page,
      server,
    }) => {
      await page.goto(`${server.url}/shop`);
      for (const name of links) {
        await page.getByRole("contentinfo").getByRole("link", { name }).click();
        await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
        await expect(page).toHaveTitle(`${name} · Evercart`);
        await expect(page.getByRole("article").getByText(fillIn).first()).toBeVisible();
        const answer = await page.reload();
        expect(answer?.status()).toBe(200);
        await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
      }
    });
  });
