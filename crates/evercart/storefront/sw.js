const FILES = ["/shop/assets/account-BumFhcln.js","/shop/assets/cart-contents-BTgw0B9E.css","/shop/assets/cart-contents-DmJbyLs3.js","/shop/assets/checkout-BRfLS1cr.js","/shop/assets/checkout-J_iekVF3.css","/shop/assets/draft-CcX247Cg.js","/shop/assets/focus-C3QPgtK3.js","/shop/assets/index-C_Sc6njX.css","/shop/assets/index-F53tSPv-.js","/shop/assets/legal-B0iOvbm2.js","/shop/assets/legal-BA67FJ4h.css","/shop/assets/legal.en-CNUe_QWa.js","/shop/assets/legal.ky-DxCvykbh.js","/shop/assets/legal.ru-D_78tFDx.js","/shop/assets/line-details-CSgtbScU.js","/shop/assets/loaded-D82rIJqv.js","/shop/assets/orders-CakfO5uR.css","/shop/assets/orders-yEuOuVKC.js","/shop/assets/pieces-CFPJrNbX.js","/shop/assets/plural-__lD-Ni0.js","/shop/assets/product-BFDGnzTn.css","/shop/assets/product-dcw2xgzS.js","/shop/assets/sign-in-5uhhAr1d.js","/shop/assets/sign-in-qfI_pFn0.js","/shop/assets/texts.ky-BLQry7GF.js","/shop/assets/texts.ru-D_Xu_uRS.js","/shop/assets/wishlist-BKLx3bKA.js","/shop/icon.svg"];
const VERSION = "033b2632036f";
const SHELL = `evercart-shell-${VERSION}`;
const SEEN = "evercart-seen";
const PAGE = "/shop/index.html";
/** How many answers and pictures are kept: those that were seen last. */
const SEEN_MAX = 300;
/** What the API tells everybody, and the pictures that came with it. */
const isCatalogue = (path) => /^\/(products(\/\d+)?|categories|auth\/markets)$/.test(path) || path.startsWith("/demo/images/");
self.addEventListener("install", (event) => event.waitUntil(install()));
/** All files or none: a page never finds itself among the files of another version. */
async function install() {
	const page = await fetch(PAGE, { cache: "no-cache" });
	const used = (await page.clone().text()).match(/\/shop\/assets\/[^"]+/g) ?? [];
	if (!page.ok || used.some((file) => !FILES.includes(file))) throw new Error("The shop was changed while it was loaded; the next visit tries again.");
	const shell = await caches.open(SHELL);
	await shell.addAll(FILES);
	await shell.put(PAGE, page);
}
// Only when no page of the version before is open: what those may still load is kept until then.
self.addEventListener("activate", (event) => event.waitUntil(activate()));
async function activate() {
	const all = await caches.keys();
	const old = all.filter((name) => name.startsWith("evercart-shell-") && name !== SHELL);
	await Promise.all(old.map((name) => caches.delete(name)));
	await self.clients.claim();
}
self.addEventListener("fetch", (event) => {
	const { request } = event;
	const { origin, pathname } = new URL(request.url);
	if (request.method !== "GET" || origin !== self.location.origin) return;
	if (request.mode === "navigate") event.respondWith(page(request));
	else if (FILES.includes(pathname)) event.respondWith(file(request));
	else if (isCatalogue(pathname) && !request.headers.has("Authorization")) event.respondWith(newest(request));
});
/** What a page saw before there was a worker is asked for once more, to be kept. */
self.addEventListener("message", (event) => {
	const { urls, market } = event.data;
	const headers = { "X-Market": market };
	const wanted = urls.filter((url) => {
		const { origin, pathname } = new URL(url);
		return origin === self.location.origin && isCatalogue(pathname);
	});
	event.waitUntil(Promise.allSettled(wanted.map((url) => newest(new Request(url, { headers })))));
});
async function page(request) {
	try {
		return await fetch(request);
	} catch {
		return await caches.match(PAGE, { cacheName: SHELL }) ?? Response.error();
	}
}
/** Its name says all of it: who asks, and in which coding, changes nothing. */
async function file({ url }) {
	return await caches.match(url, {
		cacheName: SHELL,
		ignoreVary: true
	}) ?? fetch(url);
}
/** The server's answer, or without one what it said last to the same question in the same market. */
async function newest(request) {
	const seen = await caches.open(SEEN);
	const key = new URL(request.url);
	key.searchParams.set("market", request.headers.get("X-Market") ?? "");
	try {
		const answer = await fetch(request);
		if (answer.ok) {
			// The one that was seen last comes last.
			await seen.delete(key.href);
			await seen.put(key.href, answer.clone());
			const keys = await seen.keys();
			await Promise.all(keys.slice(0, -SEEN_MAX).map((old) => seen.delete(old)));
		}
		return answer;
	} catch {
		return await seen.match(key.href) ?? Response.error();
	}
}

