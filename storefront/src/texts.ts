// What the shop says, in each of its languages. English is the measure: the others have to have the
// same texts, or the type check fails. A language is loaded when it is spoken.

import { plurals } from "./plural";
import { keep, stored } from "./storage";

const count = plurals("en");

/** What the pages about the shop itself are about; also their addresses. */
export const TOPICS = ["terms", "privacy", "delivery", "contact"] as const;
export type Topic = (typeof TOPICS)[number];

export const en = {
  skip: "Skip to the content",
  home: "Evercart, start page",
  searchHint: "Search the shop",
  all: "Everything",
  categories: "Categories",
  heroTitle: "Things worth keeping.",
  heroText:
    "A demo shop whose cart never forgets: close the tab, lose the network, change the device.",
  results: (query: string) => `Results for “${query}”`,
  products: (all: number) => count(all, { one: "# product", other: "# products" }),
  more: "Show more",
  nothingFound: "Nothing found",
  nothingFoundHelp: "Try another word, or look through a category.",
  from: "from",
  was: "Before",
  soldOut: "Sold out",
  lowStock: "Only a few left",
  inStock: "In stock",
  color: "Color",
  size: "Size",
  addToCart: "Add to cart",
  youAreHere: "You are here",
  picture: (name: string) => `Picture: ${name}`,
  zoom: "Zoom",
  zoomOut: "Zoom out",
  previous: "Previous picture",
  next: "Next picture",
  related: "You may also like",
  sizeGuide: "Size guide",
  chestCm: "Chest, cm",
  waistCm: "Waist, cm",
  waistIn: "Waist, inches",
  usMen: "US, men",
  footCm: "Foot, cm",
  sizesVary:
    "Measured on the body. Brands differ a little; between two sizes, take the larger one.",
  deliveryAndReturns: "Delivery and returns",
  deliveryCosts: (price: string) => `Delivery costs ${price}, whatever you order.`,
  deliveryFreeFrom: (from: string) => `It is free for orders of ${from} or more.`,
  returnsText: "What does not fit can be sent back within 14 days of delivery, unused.",
  demoTerms: "This is a demo: a real shop says here what its own terms are.",
  cart: "Cart",
  cartCount: (all: number) => `Cart, ${count(all, { one: "# item", other: "# items" })}`,
  cartEmpty: "Your cart is empty",
  cartEmptyHelp: "What you add stays here, also after you close the page.",
  browse: "Look around",
  close: "Close",
  quantity: "Quantity",
  less: "One less",
  moreOf: "One more",
  remove: "Remove",
  cartPage: "Open the cart as a page",
  removed: (name: string) => `Removed from the cart: ${name}.`,
  dismiss: "Dismiss",
  undo: "Undo",
  quantityRange: "Enter a number from 1 to 999.",
  subtotal: "Subtotal",
  checkout: "Check out",
  signInToOrder: "Sign in to check out",
  savedLater: "Not saved yet. It will be as soon as the network is back.",
  priceChanged: (was: string, now: string) => `The price has changed from ${was} to ${now}.`,
  onlyLeft: (count: number) => `Only ${count} left. Please lower the quantity.`,
  unavailable: "No longer for sale. Please remove it.",
  soldOutLine: "Sold out. Please remove it.",
  cut: (wanted: number, left: number) =>
    `You had ${wanted} here before you signed in. Only ${left} ${left === 1 ? "is" : "are"} in stock, so we kept ${left}.`,
  cutAtLimit: (wanted: number, left: number) =>
    `You had ${wanted} here before you signed in. With those in your cart that is more than one order takes, so there are ${left} now.`,
  leftOut: (name: string) =>
    `${name} was in your cart before you signed in. It is sold out, or no longer for sale.`,
  leftOutLimit: (name: string) =>
    `${name} was in your cart before you signed in, which now has as many lines as it can hold.`,
  someCut: "Not all you had collected could be taken over. Your cart says what.",
  cartIs: (all: number, total: string) =>
    `Cart: ${count(all, { one: "# item", other: "# items" })}, ${total}`,
  wishlist: "Wishlist",
  wish: "Add to wishlist",
  unwish: "Remove from wishlist",
  wishlistEmpty: "Nothing on your wishlist",
  wishlistEmptyHelp: "Press the heart at a product to keep it here.",
  moveToCart: "Move to cart",
  signIn: "Sign in",
  signInText: "We send a code to your phone. There is no password.",
  phone: "Phone number",
  sendCode: "Send code",
  code: "Code",
  codeSent: (phone: string) => `We have sent a code to ${phone}.`,
  demoCode: (code: string) =>
    `This is a demo: the code is ${code}. It is in the server's log, too.`,
  otherPhone: "Use another number",
  resend: "Send again",
  resendIn: (seconds: number) =>
    `Send again in ${count(seconds, { one: "# second", other: "# seconds" })}`,
  otherMarket: (country: string) => `This is a number of ${country}, which has a shop of its own.`,
  switchMarket: (country: string) => `Go on in the shop of ${country}`,
  signedOut: "You are signed out.",
  signedOutHere:
    "Signed out on this device. The server could not be told: other devices may stay signed in for up to 30 minutes.",
  expired: "Your sign-in has expired. Your cart is kept; sign in again to go on.",
  endedElsewhere: "You have been signed out on another device or tab.",
  signOut: "Sign out everywhere",
  account: "Account",
  orders: "Orders",
  order: "Order",
  noOrders: "No orders yet",
  noOrdersHelp: "When you buy something, you can follow it here.",
  yourDetails: "Your details",
  name: "Name",
  email: "Email",
  language: "Language",
  save: "Save",
  saved: "Saved.",
  changePhone: "Change phone number",
  newPhone: "New phone number",
  oldCode: "Code sent to your present number",
  oldCodeNeeded:
    "Your sign-in is too long ago. We have sent a code to your present number; enter it, too.",
  phoneChanged: "Your phone number has been changed.",
  addresses: "Addresses",
  addAddress: "Add address",
  addressTitle: "Title, such as Home",
  address: "Address",
  city: "City",
  makeDefault: "Make default",
  isDefault: "Default",
  yourData: "Your data",
  export: "Download everything we know",
  erase: "Delete account",
  eraseText: "Deletes your personal data for ever. Orders stay, without your name, for the books.",
  eraseSend: "Send me a code to confirm",
  eraseNow: "Delete for ever",
  exportCode: "You signed in a while ago. We sent you a code: enter it for a copy of your data.",
  eraseEven:
    "Delete all the same. Orders on their way keep name, phone and address until they end.",
  openOrders: "Some orders are still to be delivered.",
  erased: "Your account has been deleted.",
  delivery: "Delivery",
  notes: "Notes for the courier",
  payment: "Payment",
  payCard: "Card on delivery",
  payCash: "Cash on delivery",
  optional: "optional",
  placeOrder: "Place order",
  placing: "Placing your order…",
  summary: "Your order",
  change: "Change",
  shippingAtOrder: "The total with delivery is shown before you order.",
  toTotal: "See the total",
  orderPlaced: (number: string) => `Your order ${number} is placed.`,
  thanks: "Thank you",
  whatNext: [
    "We pack it and hand it to a courier.",
    "You pay when it is delivered.",
    "Its page always says how far it is; until it is packed it can be cancelled.",
  ],
  goOnShopping: "Go on shopping",
  buyAgain: "Buy again",
  boughtAgain: (lines: number) =>
    `${count(lines, { one: "# line is", other: "# lines are" })} in your cart.`,
  notHad: "This cannot be had any more:",
  deliverTo: "Deliver to",
  elsewhere: "Somewhere else",
  keepAddress: "Keep it for next time",
  lookingForOrder: "Looking whether your order was placed…",
  shipping: "Delivery",
  free: "Free",
  freeFrom: (rest: string) => `${rest} more, and delivery is free.`,
  tax: "Tax included",
  total: "Total",
  print: "Print",
  history: "History",
  cancelOrder: "Cancel order",
  reallyCancel: "Really cancel? Press again.",
  cancelled: "The order is cancelled.",
  notCancellable: "It is too late to cancel this order.",
  backToOrders: "All orders",
  market: "Country",
  offline: "You are offline. Go on: changes of your cart are saved as soon as the network is back.",
  problem: "Something went wrong",
  tryAgain: "Try again",
  checkFields: "Please check what is marked above.",
  required: "Please fill this in.",
  emailInvalid: "This does not look like an email address, such as jo@example.com.",
  tooLong: (most: number) => `This is too long: ${most} characters at most.`,
  fieldWrong: "This cannot be right. Please check it.",
  notStored: "Your browser could not keep this. Free some space, or allow this page to store data.",
  blocked: "This account is blocked. Contact the shop.",
  notFresh: "You signed in a while ago. Sign in once more to go on.",
  priceChangedSince: "A price has changed. Look your order over, then order again.",
  phoneTaken: "This number belongs to another account.",
  changedMeanwhile: "Your cart has changed meanwhile. Look it over, then try again.",
  quantityLimit: "A cart holds at most 999 of one thing, and 100 different ones.",
  busy: "The shop is very busy. Nothing was changed; try again in a moment.",
  smsUnavailable: "No message can be sent at the moment. Try again later.",
  unreachable: "The shop cannot be reached. Check your connection and try again.",
  tooMany: (seconds: number) =>
    `Too many attempts. Try again in ${count(seconds, { one: "# second", other: "# seconds" })}.`,
  codeInvalid: "This code is wrong or too old. Check it, or ask for a new one.",
  phoneMoved: "Your account was moved from this number to another one. Was that not you? Stop it.",
  phoneMoveStopped:
    "The change of number is stopped. Contact the shop: it decides who gets the account.",
  phoneOnHold: "The number of this account was changed a short while ago. Try again later.",
  accountFrozen: "This account is frozen. Contact the shop.",
  stopPhoneChange: "Stop the change of number",
  phoneInvalid: "This does not look like a phone number of this country.",
  insufficientStock: (count: number) => `Only ${count} left in stock.`,
  totalChanged: (total: string) =>
    `A price has changed: your order now comes to ${total}. Look it over, then order again.`,
  notTaken: (what: string) => `A change of your cart could not be kept: ${what}`,
  missing: "This page does not exist",
  missingHelp: "It may have moved, or the product is no longer for sale.",
  legal: "About this shop",
  topics: {
    terms: "Terms",
    privacy: "Privacy",
    delivery: "Delivery & returns",
    contact: "Contact",
  } as Record<Topic, string>,
  fillIn: "A real shop fills in",
  demo: "Demo shop. Nothing here is sold or delivered.",
  loading: "Loading",
  status: {
    pending: "Received",
    confirmed: "Confirmed",
    processing: "Being packed",
    shipped: "On its way",
    delivered: "Delivered",
    cancelled: "Cancelled",
    returned: "Returned",
  } as Record<string, string>,
};

export type Texts = typeof en;
export type Language = "en" | "ru" | "ky";

/** What each language calls itself. */
export const LANGUAGES: Record<Language, string> = { en: "English", ru: "Русский", ky: "Кыргызча" };

const LANGUAGE = "evercart-shop:language";

export function isLanguage(text: string | null | undefined): text is Language {
  return text === "en" || text === "ru" || text === "ky";
}

/** The shop's texts in that language. */
export async function textsOf(language: Language): Promise<Texts> {
  if (language === "ru") return (await import("./texts.ru")).ru;
  if (language === "ky") return (await import("./texts.ky")).ky;
  return en;
}

/** The language asked for, else the browser's, as far as the shop speaks it. */
export function firstLanguage(): Language {
  const wanted = [
    stored("local", LANGUAGE),
    ...navigator.languages.map((name) => name.slice(0, 2)),
  ];
  return wanted.find(isLanguage) ?? "en";
}

export function keepLanguage(language: Language): void {
  keep("local", LANGUAGE, language);
}
