// The pages about the shop itself, in English.

import type { Papers } from "./legal";

export const papers: Papers = {
  terms: {
    about:
      "This is a demo shop. Orders placed here are for trying it out: no contract is made, nothing is paid and nothing is delivered.",
    parts: [
      {
        title: "Ordering",
        text: [
          "What is in your cart is ordered when you press “Place order”. The total with delivery is shown before, and no other total is taken: if a price changes meanwhile, you are asked again.",
          "An order can be cancelled on its page until it is being packed.",
        ],
        fillIn: "when the contract is made, what it covers, and in which language.",
      },
      {
        title: "Prices and payment",
        text: [
          "Prices are in the currency of the country chosen below. You would pay on delivery.",
        ],
        fillIn: "taxes included in the price, ways to pay, and when payment is due.",
      },
      {
        title: "Warranty and disputes",
        text: ["The brands and products are invented, so there is nothing to warrant."],
        fillIn: "the statutory warranty, the law that applies, and the body that settles disputes.",
      },
    ],
  },
  privacy: {
    about:
      "No cookies, no trackers, no advertising, and nothing is loaded from other companies. What is kept serves your cart, your wishlist and your orders.",
    parts: [
      {
        title: "On this device",
        text: [
          "Your browser keeps the cart, the wishlist, the language, the country and, once you have signed in, a token that ends with the sign-out. So that the shop opens without a network, its pages and the products seen last are kept, too, in a store of their own that never has your cart, your orders or your details.",
        ],
      },
      {
        title: "On the server",
        text: [
          "With a sign-in: your phone number, and what you enter as name, email and addresses; your cart, wishlist and orders. The code for signing in is sent to your phone.",
        ],
        fillIn: "who is responsible, on which legal basis, for how long, and who receives data.",
      },
      {
        title: "Your rights",
        text: [
          "Under “Account” you download everything that is known of you, correct it, or delete the account. Orders stay for the books, without your name.",
        ],
        fillIn: "whom to write to, and the supervisory authority.",
      },
    ],
  },
  delivery: {
    about: "Nothing is delivered from this demo. A real shop would work as follows.",
    parts: [
      {
        title: "Delivery",
        text: [
          "A courier brings the order to the address given at checkout. The order's page says how far it is.",
        ],
        fillIn: "where it delivers to, with whom, and how many days that takes.",
      },
      {
        title: "Returns",
        text: [
          "What does not fit can be sent back within 14 days of delivery, unused. The price is paid back the way it was paid.",
        ],
        fillIn: "the address for returns, who pays for them, and the withdrawal form.",
      },
      {
        title: "Something is broken or missing",
        text: ["Tell the shop the number of the order; it stands at the top of the order's page."],
        fillIn: "how to reach it, and what it does: repair, replace or pay back.",
      },
    ],
  },
  contact: {
    about: "Nobody runs this shop: it shows what Evercart, a shop backend, can do.",
    parts: [
      {
        title: "Who is behind it",
        text: ["Whoever has started this server. The shop itself knows no name."],
        fillIn:
          "company and legal form, who represents it, its address, and its numbers in the commercial and tax registers.",
      },
      {
        title: "Questions about an order",
        text: ["Have its number at hand. “Orders” in your account lists them all."],
        fillIn: "a phone number and an email address that are answered, and when.",
      },
    ],
  },
};
