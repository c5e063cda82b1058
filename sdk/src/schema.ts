// Generated from the server's API document by `npm run types`; never edited.

export interface paths {
    "/auth/account": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End the account
         * @description Erases profile, cart, wishlist and addresses, and of orders who ordered, where it went and how
         *     it was paid. The orders stay for the shop's books, and the phone can sign up anew. Orders that
         *     are still to be delivered need `even_open_orders`, and keep what the delivery needs until they
         *     end.
         */
        delete: operations["erase"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A copy of everything
         * @description One document with all that the shop holds of the customer. Outstanding codes, and counts of
         *     codes, are not in it: they are kept by a phone's keyed hash only. It is sent as it is read, so
         *     it is whole only if its end came; a customer reads one at a time. It needs a sign-in of the last
         *     five minutes: a token that was stolen later takes no copy of everything.
         */
        get: operations["export"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign out
         * @description Every token issued so far, on any device, is dead from then on. Nothing else changes.
         */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/markets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The shop's markets */
        get: operations["list_markets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/phone": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for another phone
         * @description Sends a code to the new number, for `/auth/phone/confirm`. It needs a sign-in of the last five
         *     minutes, or a code to the present phone. The answer does not tell whether the number has an
         *     account.
         */
        post: operations["ask_for_phone"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/phone/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Use another phone
         * @description The account, with all that is in it, is signed in with the new number from then on; every token
         *     of before is dead. The old number is told by SMS, and can stop the change while it is on hold.
         */
        post: operations["confirm_phone"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/phone/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop a change of phone
         * @description Freezes the account that was moved away from this phone: every token is dead, and nobody signs
         *     in with either phone until the shop has decided whose the account is. Possible while the change
         *     is on hold.
         */
        post: operations["stop_phone_change"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/profile": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The profile */
        get: operations["get_profile"];
        /** Change the profile */
        put: operations["change_profile"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change the profile (as `PUT /auth/profile`) */
        patch: operations["patch_profile"];
        trace?: never;
    };
    "/auth/send-code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a sign-in code
         * @description By SMS, in the market's language or the one in `Accept-Language`. A new code ends the old one.
         *     The answer does not tell whether the phone has an account, nor whether there is a change to
         *     stop.
         */
        post: operations["send_code"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/send-verification": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a sign-in code (as `POST /auth/send-code`) */
        post: operations["send_verification"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/verify-code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in
         * @description The first time makes the customer. A code is good once; what is wrong with one is not told. A
         *     phone that an account was moved away from makes no new customer while that change is on hold.
         */
        post: operations["verify_code"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/verify-token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Ask whether a token is good */
        get: operations["verify_token"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/cart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The cart
         * @description An empty one if nothing was ever added. Reading it writes nothing.
         */
        get: operations["get_cart"];
        put?: never;
        post?: never;
        /** Empty the cart */
        delete: operations["clear_cart"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/cart/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The cart's changes, as they happen
         * @description Server-sent events. `cart` carries the whole cart: one at once, and one for every change, from
         *     whatever device or server; its id is the cart's version. With that id in `Last-Event-ID` the one
         *     at the beginning is left out if nothing has changed. `signed_out` carries a `code`
         *     (`signed_out`, `user_blocked`, `token_expired`, `token_invalid`) and a `detail`, and is the
         *     last. If the stream ends without it, connect again.
         *
         *     The answer does not end by itself. Read it with a library for server-sent events; a generated
         *     client that waits for whole answers must not call it. `x-internal` makes openapi-generator leave
         *     it out; hey-api makes a stream of it.
         */
        get: operations["cart_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/cart/items": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Put something into the cart
         * @description Adding a SKU that is in the cart adds to its line. Adds at the same moment all count.
         */
        post: operations["add_item"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/cart/items/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set a line's quantity
         * @description In the body or as `?quantity=`, where the latter goes first. 0 removes the line.
         */
        put: operations["set_item"];
        post?: never;
        /** Remove a line */
        delete: operations["remove_item"];
        options?: never;
        head?: never;
        /** Set a line's quantity (as `PUT /cart/items/{id}`) */
        patch: operations["patch_item"];
        trace?: never;
    };
    "/cart/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take over what was collected before signing in
         * @description As much of each SKU as can be had. `skipped` names what could not, which keeps nothing else out.
         */
        post: operations["merge_cart"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/categories": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Categories */
        get: operations["list_categories"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * This API's documentation
         * @description A page for people. It needs no network but this server.
         */
        get: operations["docs_page"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Alive
         * @description Answers as long as the server runs, whatever its database does.
         */
        get: operations["healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * This API's description
         * @description The OpenAPI 3.1 document that this page and clients are made from.
         */
        get: operations["openapi_document"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The orders (as `GET /profile/orders`) */
        get: operations["list_orders"];
        put?: never;
        /**
         * Order the cart
         * @description One transaction: the cart is priced, the stock taken, the order written and the cart emptied.
         *     All of it happens or nothing, and a cart becomes one order however often this is sent. With
         *     `items` and `use_cart: false`, those items are ordered in the same way, and the cart stays as it
         *     is.
         */
        post: operations["checkout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orders/create": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Order the cart (as `POST /orders`) */
        post: operations["create_order"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orders/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One order (as `GET /profile/orders/{id}`) */
        get: operations["get_order"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orders/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel an order (as `POST /profile/orders/{id}/cancel`) */
        post: operations["cancel_order"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/products": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Products
         * @description Those for sale in the market, in the order of their ids.
         */
        get: operations["list_products"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/products/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One product with its SKUs */
        get: operations["get_product"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/profile/addresses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The addresses */
        get: operations["list_addresses"];
        put?: never;
        /** Add an address */
        post: operations["add_address"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/profile/addresses/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Change an address */
        put: operations["change_address"];
        post?: never;
        /**
         * Remove an address
         * @description If it was the default, the oldest other becomes it.
         */
        delete: operations["remove_address"];
        options?: never;
        head?: never;
        /** Change an address (as `PUT /profile/addresses/{id}`) */
        patch: operations["patch_address"];
        trace?: never;
    };
    "/profile/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The orders */
        get: operations["list_profile_orders"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/profile/orders/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One order */
        get: operations["get_profile_order"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/profile/orders/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel an order
         * @description Possible while it is `pending` or `confirmed`. Its pieces go back into stock.
         */
        post: operations["cancel_profile_order"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Ready
         * @description Answers 200 when the store of every market can be read and has this version's schema.
         */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wishlist": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The wishlist */
        get: operations["get_wishlist"];
        put?: never;
        post?: never;
        /** Empty the wishlist */
        delete: operations["clear_wishlist"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wishlist/items": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Put a product on the wishlist
         * @description One that is on it already stays where it is; there is never a second line.
         */
        post: operations["add_wish"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wishlist/items/{product_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take a product off the wishlist */
        delete: operations["remove_wish"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/wishlist/items/{product_id}/move-to-cart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move a product from the wishlist to the cart
         * @description The product leaves the wishlist and one of its SKUs enters the cart: both or neither.
         */
        post: operations["move_to_cart"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What is to be put into the cart. */
        AddItem: {
            /**
             * Format: int32
             * @description How many pieces, on top of those there are.
             * @default 1
             * @example 2
             */
            quantity: number;
            /**
             * Format: int64
             * @description What to add.
             * @example 42
             */
            sku_id: number;
        };
        /** @description What is to be put on the wishlist. */
        AddWish: {
            /**
             * Format: int64
             * @example 15
             */
            product_id: number;
        };
        /** @description A line of the cart as it was added. */
        AddedLine: {
            added_at: components["schemas"]["Time"];
            /** @description What a piece cost when the line was added, or changed last. */
            price_when_added: components["schemas"]["Amount"];
            /**
             * Format: int32
             * @example 2
             */
            quantity: number;
            /**
             * Format: int64
             * @example 42
             */
            sku_id: number;
        };
        /**
         * @description A stored address. Exactly one of a customer's addresses is the default, if there are any.
         * @example {
         *       "apartment": null,
         *       "building": null,
         *       "city": "Chicago",
         *       "country": null,
         *       "full_address": "233 S Wacker Dr, Chicago, IL 60606",
         *       "id": 1,
         *       "is_default": true,
         *       "postal_code": null,
         *       "street": null,
         *       "title": "Home"
         *     }
         */
        Address: {
            apartment: string | null;
            building: string | null;
            city: string | null;
            country: string | null;
            /**
             * @description The whole address in one line.
             * @example 233 S Wacker Dr, Chicago, IL 60606
             */
            full_address: string;
            /**
             * Format: int64
             * @example 1
             */
            id: number;
            /** @description Offered first at checkout. */
            is_default: boolean;
            postal_code: string | null;
            street: string | null;
            /**
             * @description What the customer calls it.
             * @example Home
             */
            title: string;
        };
        /** @description What to change of an address. What is left out stays and null empties. */
        AddressFields: {
            apartment?: string | null;
            building?: string | null;
            /** @example Chicago */
            city?: string | null;
            country?: string | null;
            /**
             * @description The whole address in one line.
             * @example 233 S Wacker Dr, Chicago, IL 60606
             */
            full_address?: string;
            /** @description Makes it the default. The first address is the default anyway. */
            is_default?: boolean | null;
            postal_code?: string | null;
            street?: string | null;
            /**
             * @description What the customer calls it.
             * @example Home
             */
            title?: string | null;
        };
        /** @description A customer's addresses. */
        Addresses: {
            /** @description The default first. */
            addresses: components["schemas"]["Address"][];
            /** @example 1 */
            total: number;
        };
        /**
         * Format: decimal
         * @description An amount in major units with exactly the currency's decimals. Read it as a decimal, not as a binary float; the description at the top says how in each language.
         * @example 59.99
         */
        Amount: number;
        /**
         * @description That an order was called off.
         * @example {
         *       "message": "Order #1001 is cancelled.",
         *       "order_id": 1001,
         *       "status": "cancelled",
         *       "success": true
         *     }
         */
        Cancelled: {
            /** @description For a person. */
            message: string;
            /**
             * Format: int64
             * @example 1001
             */
            order_id: number;
            /** @description `cancelled`. */
            status: components["schemas"]["OrderStatus"];
            /** @description Always true. */
            success: boolean;
        };
        /**
         * @description A customer's cart. There is one for each customer; it is empty until something is added.
         * @example {
         *       "currency": "USD",
         *       "id": 19,
         *       "items": [
         *         {
         *           "available": true,
         *           "color": "Sand",
         *           "id": 1,
         *           "image": "/demo/images/linen-shirt-sand.svg",
         *           "line_total": 119.98,
         *           "name": "Relaxed Linen Shirt",
         *           "original_price": null,
         *           "price": 59.99,
         *           "product_id": 15,
         *           "quantity": 2,
         *           "size": "M",
         *           "sku_code": "LINEN-SHIRT-SAND-M",
         *           "sku_id": 42
         *         }
         *       ],
         *       "notices": [],
         *       "total_items": 2,
         *       "total_price": 119.98,
         *       "updated_at": "2026-11-23T20:08:24Z",
         *       "user_id": 19,
         *       "version": 1
         *     }
         */
        Cart: {
            /**
             * @description What all amounts are in, ISO 4217.
             * @example USD
             */
            currency: string;
            /**
             * Format: int64
             * @description The customer's id again: one cart each.
             * @example 19
             */
            id: number;
            /** @description In the order in which they were added. */
            items: components["schemas"]["CartItem"][];
            /** @description What changed under the customer since the lines were last touched. */
            notices: components["schemas"]["Notice"][];
            /** @description Only in the answer to a merge: what was not taken over, or not wholly. */
            skipped?: components["schemas"]["Skipped"][];
            /**
             * Format: int64
             * @description Pieces in the cart: the sum of all quantities.
             * @example 2
             */
            total_items: number;
            /** @description What all lines cost together now, without delivery. */
            total_price: components["schemas"]["Amount"];
            /** @description The last change, null for a cart that never had anything in it. */
            updated_at: components["schemas"]["Time"] | null;
            /**
             * Format: int64
             * @description Whose cart it is.
             * @example 19
             */
            user_id: number;
            /**
             * Format: int64
             * @description Counts the changes made to it. It is also the first half of the `ETag`.
             * @example 1
             */
            version: number;
        };
        /**
         * @description One SKU in a cart.
         * @example {
         *       "available": true,
         *       "color": "Sand",
         *       "id": 1,
         *       "image": "/demo/images/linen-shirt-sand.svg",
         *       "line_total": 119.98,
         *       "name": "Relaxed Linen Shirt",
         *       "original_price": null,
         *       "price": 59.99,
         *       "product_id": 15,
         *       "quantity": 2,
         *       "size": "M",
         *       "sku_code": "LINEN-SHIRT-SAND-M",
         *       "sku_id": 42
         *     }
         */
        CartItem: {
            /** @description True if the line could be ordered as it is. */
            available: boolean;
            color: string | null;
            /**
             * Format: int64
             * @description The line's id, for `/cart/items/{id}`.
             * @example 1
             */
            id: number;
            /** @description A picture, by URL or path on this server. */
            image: string | null;
            /** @description What the line costs now. */
            line_total: components["schemas"]["Amount"];
            /** @description The product's name. */
            name: string;
            /** @description What one piece cost before a reduction. */
            original_price: components["schemas"]["Amount"] | null;
            /** @description What one piece costs now. */
            price: components["schemas"]["Amount"];
            /**
             * Format: int64
             * @example 15
             */
            product_id: number;
            /**
             * Format: int32
             * @description Pieces, 1 to 999.
             * @example 2
             */
            quantity: number;
            size: string | null;
            /** @description The shop's own code. */
            sku_code: string;
            /**
             * Format: int64
             * @example 42
             */
            sku_id: number;
        };
        /** @description The categories that have products for sale. */
        Categories: {
            /** @description By name. */
            categories: components["schemas"]["Category"][];
        };
        /** @description A category. */
        Category: {
            /**
             * @description For `?category=`.
             * @example Shirts
             */
            name: string;
            /**
             * Format: int64
             * @description How many products for sale are in it.
             * @example 6
             */
            products: number;
        };
        /**
         * @description What a customer says when ordering.
         * @example {
         *       "customer_email": "jo@example.com",
         *       "customer_name": "Jo Miller",
         *       "customer_phone": "+13128059851",
         *       "delivery_address": "233 S Wacker Dr",
         *       "delivery_city": "Chicago",
         *       "expected_total": 119.98,
         *       "payment_method": "card"
         *     }
         */
        Checkout: {
            /**
             * Format: email
             * @example jo@example.com
             */
            customer_email?: string | null;
            /**
             * @description Who receives it.
             * @example Jo Miller
             */
            customer_name: string;
            /**
             * @description Whom to call; the customer's own phone if left out.
             * @example +13128059851
             */
            customer_phone?: string | null;
            /** @example 233 S Wacker Dr */
            delivery_address: string;
            /** @example Chicago */
            delivery_city?: string | null;
            delivery_notes?: string | null;
            /** @description What the customer was shown, with delivery. If it costs something else, nothing is ordered. */
            expected_total?: components["schemas"]["Amount"] | null;
            /**
             * @description With `use_cart: false`, what is ordered in place of the cart. A SKU that is named again adds
             *     to its pieces.
             */
            items?: components["schemas"]["AddItem"][] | null;
            /**
             * @description The client's word for how it is paid.
             * @example card
             */
            payment_method: string;
            /**
             * @description True to order the cart, as if left out; false to order `items` and leave the cart alone.
             *     `items` need it to be false.
             */
            use_cart?: boolean | null;
        };
        /**
         * @description That a code is on its way. It is the same whether or not the phone has an account.
         * @example {
         *       "demo_code": "123456",
         *       "expires_in_minutes": 10,
         *       "language": "en",
         *       "market": "us",
         *       "message": "We sent you a code. Type it in to sign in.",
         *       "phone_number": "+13128059851",
         *       "resend_after_seconds": 60,
         *       "success": true
         *     }
         */
        CodeSent: {
            /**
             * @description The code itself; only a demo says it.
             * @example 123456
             */
            demo_code?: string;
            /**
             * Format: int64
             * @description How long the code is good for.
             * @example 10
             */
            expires_in_minutes: number;
            /**
             * @description The message's language.
             * @example en
             */
            language: string;
            /** @example us */
            market: string;
            /** @description For a person. */
            message: string;
            /**
             * @description The phone in E.164.
             * @example +13128059851
             */
            phone_number: string;
            /**
             * Format: int64
             * @description How long to wait before asking for another.
             * @example 60
             */
            resend_after_seconds: number;
            /** @description Always true. */
            success: boolean;
        };
        /** @description The phone to sign in with from now on, and the code that was sent to it. */
        ConfirmPhone: {
            /**
             * @description As in `/auth/phone`.
             * @example +13128059852
             */
            new_phone: string;
            /**
             * @description Six digits. `code` is read, too.
             * @example 123456
             */
            verification_code: string;
        };
        /** @description That something was done. */
        Confirmation: {
            /** @description For a person. */
            message: string;
            /** @description Always true. */
            success: boolean;
        };
        /** @description The proof that it is the customer who ends the account. */
        EraseAccount: {
            /**
             * @description Erases although orders are still to be delivered: these keep what the delivery needs until
             *     they end.
             */
            even_open_orders?: boolean | null;
            /**
             * @description The six digits that `send-code` sent to the account's phone. `code` is read, too.
             * @example 123456
             */
            verification_code: string;
        };
        /**
         * @description Everything the shop holds of a customer.
         * @example {
         *       "addresses": [
         *         {
         *           "apartment": null,
         *           "building": null,
         *           "city": "Chicago",
         *           "country": null,
         *           "full_address": "233 S Wacker Dr, Chicago, IL 60606",
         *           "id": 1,
         *           "is_default": true,
         *           "postal_code": null,
         *           "street": null,
         *           "title": "Home"
         *         }
         *       ],
         *       "blocked_at": null,
         *       "cart": {
         *         "currency": "USD",
         *         "id": 19,
         *         "items": [
         *           {
         *             "available": true,
         *             "color": "Sand",
         *             "id": 1,
         *             "image": "/demo/images/linen-shirt-sand.svg",
         *             "line_total": 119.98,
         *             "name": "Relaxed Linen Shirt",
         *             "original_price": null,
         *             "price": 59.99,
         *             "product_id": 15,
         *             "quantity": 2,
         *             "size": "M",
         *             "sku_code": "LINEN-SHIRT-SAND-M",
         *             "sku_id": 42
         *           }
         *         ],
         *         "notices": [],
         *         "total_items": 2,
         *         "total_price": 119.98,
         *         "updated_at": "2026-11-23T20:08:24Z",
         *         "user_id": 19,
         *         "version": 1
         *       },
         *       "cart_lines": [
         *         {
         *           "added_at": "2026-11-23T20:08:24Z",
         *           "price_when_added": 59.99,
         *           "quantity": 2,
         *           "sku_id": 42
         *         }
         *       ],
         *       "exported_at": "2026-11-23T20:08:24Z",
         *       "format": 1,
         *       "former_phones": [],
         *       "frozen_at": null,
         *       "idempotency_keys": [
         *         {
         *           "at": "2026-11-23T20:08:24Z",
         *           "key": "8e03978e-40d5-43e8-bc93-6894a57f9324"
         *         }
         *       ],
         *       "messages": [],
         *       "operator_actions": [
         *         {
         *           "action": "show",
         *           "at": "2026-11-23T20:08:24Z",
         *           "reason": null
         *         }
         *       ],
         *       "orders": [
         *         {
         *           "currency": "USD",
         *           "customer_email": "jo@example.com",
         *           "customer_name": "Jo Miller",
         *           "customer_phone": "+13128059851",
         *           "delivery_address": "233 S Wacker Dr",
         *           "delivery_city": "Chicago",
         *           "delivery_date": null,
         *           "delivery_notes": null,
         *           "history": [
         *             {
         *               "at": "2026-11-23T20:08:24Z",
         *               "status": "pending"
         *             }
         *           ],
         *           "id": 1001,
         *           "items": [
         *             {
         *               "color": "Sand",
         *               "id": 1,
         *               "image": "/demo/images/linen-shirt-sand.svg",
         *               "product_id": 15,
         *               "product_name": "Relaxed Linen Shirt",
         *               "quantity": 2,
         *               "size": "M",
         *               "sku_code": "LINEN-SHIRT-SAND-M",
         *               "sku_id": 42,
         *               "total_price": 119.98,
         *               "unit_price": 59.99
         *             }
         *           ],
         *           "items_count": 1,
         *           "order_date": "2026-11-23T20:08:24Z",
         *           "order_number": "#1001",
         *           "payment_method": "card",
         *           "shipping_cost": 0,
         *           "status": "pending",
         *           "subtotal": 119.98,
         *           "tax_amount": 0,
         *           "total_amount": 119.98
         *         }
         *       ],
         *       "phone_held_until": null,
         *       "profile": {
         *         "country": "United States",
         *         "created_at": "2026-11-23T20:08:24Z",
         *         "currency": "USD",
         *         "currency_code": "USD",
         *         "email": "jo@example.com",
         *         "formatted_phone": "+1 312-805-9851",
         *         "full_name": "Jo Miller",
         *         "id": 19,
         *         "is_active": true,
         *         "is_verified": true,
         *         "language": "en",
         *         "last_login": "2026-11-23T20:08:24Z",
         *         "market": "us",
         *         "name": "Jo Miller",
         *         "phone_number": "+13128059851",
         *         "profile_image_url": null
         *       },
         *       "wishlist": {
         *         "id": 19,
         *         "items": [
         *           {
         *             "added_at": "2026-11-23T20:08:24Z",
         *             "id": 1,
         *             "product": {
         *               "available": true,
         *               "brand": "Fennhollow",
         *               "id": 15,
         *               "image": "/demo/images/linen-shirt-sand.svg",
         *               "name": "Relaxed Linen Shirt",
         *               "original_price": null,
         *               "price": 59.99
         *             },
         *             "product_id": 15
         *           }
         *         ],
         *         "total_items": 1,
         *         "user_id": 19
         *       }
         *     }
         */
        Export: {
            addresses: components["schemas"]["Address"][];
            /** @description Since when the shop lets the customer in no more. */
            blocked_at: components["schemas"]["Time"] | null;
            cart: components["schemas"]["Cart"];
            /** @description When the cart's lines were added, and what they cost then, by SKU. */
            cart_lines: components["schemas"]["AddedLine"][];
            /** @description When it was taken. */
            exported_at: components["schemas"]["Time"];
            /**
             * Format: int32
             * @description The form of this document: moves when a member changes its meaning or goes.
             * @example 1
             */
            format: number;
            /** @description The phones the account had before, masked, the oldest first. */
            former_phones: components["schemas"]["FormerPhone"][];
            /** @description Since when the account is frozen, because the phone before has stopped the change. */
            frozen_at: components["schemas"]["Time"] | null;
            /** @description The `Idempotency-Key`s that are still remembered. */
            idempotency_keys: components["schemas"]["KeyUsed"][];
            /** @description Messages to the customer that are not sent yet. */
            messages: components["schemas"]["WaitingMessage"][];
            /** @description What operators of the shop did to the account, and how its phone changed, the oldest first. */
            operator_actions: components["schemas"]["OperatorAction"][];
            /** @description All of them, the newest first. */
            orders: components["schemas"]["Order"][];
            /** @description Until when the phone before can stop the last change of the phone. */
            phone_held_until: components["schemas"]["Time"] | null;
            profile: components["schemas"]["Profile"];
            wishlist: components["schemas"]["Wishlist"];
        };
        /** @description One wrong field. */
        FieldError: {
            /**
             * @description What was expected and what was found.
             * @example must be an integer from 1 to 999, found 1000
             */
            detail: string;
            /** @example quantity */
            field: string;
        };
        /** @description A phone that the account had before. */
        FormerPhone: {
            /** @description When the account left it. */
            left_at: components["schemas"]["Time"];
            /**
             * @description The shop keeps no more of it than this and a keyed hash.
             * @example +1312•••9851
             */
            phone: string;
        };
        /** @description That the server is there. */
        Health: {
            /**
             * @description `ok`.
             * @example ok
             */
            status: string;
        };
        /** @description A key that was sent with a change. */
        KeyUsed: {
            at: components["schemas"]["Time"];
            /** @example 8e03978e-40d5-43e8-bc93-6894a57f9324 */
            key: string;
        };
        /**
         * @description What changed about a line.
         * @enum {string}
         */
        KnownNoticeCode: "price_changed" | "insufficient_stock" | "unavailable";
        /**
         * @description What went wrong, for programs. Never renamed.
         * @enum {string}
         */
        KnownProblemCode: "malformed_json" | "host_required" | "market_required" | "market_unknown" | "market_mismatch" | "not_authenticated" | "token_invalid" | "token_expired" | "signed_out" | "user_blocked" | "sign_in_not_fresh" | "code_invalid" | "not_found" | "method_not_allowed" | "insufficient_stock" | "sku_unavailable" | "cart_empty" | "price_changed" | "phone_taken" | "phone_moved" | "phone_on_hold" | "open_orders" | "order_not_cancellable" | "version_conflict" | "body_too_large" | "unsupported_media_type" | "validation_failed" | "quantity_limit" | "idempotency_key_reused" | "rate_limited" | "too_many_attempts" | "internal_error" | "overloaded" | "catalogue_busy" | "store_unavailable" | "sms_unavailable";
        /**
         * @description Why a merge did not take over all that was offered. With `insufficient_stock` what there is was taken over.
         * @enum {string}
         */
        KnownSkipReason: "not_found" | "sku_unavailable" | "insufficient_stock" | "quantity_limit";
        /** @description A market: one country's shop with its own customers, catalogue and prices. */
        Market: {
            /** @example United States */
            country: string;
            /** @example USD */
            currency: string;
            /** @example USD */
            currency_code: string;
            /** @example $ */
            currency_symbol: string;
            /**
             * @description The default language.
             * @example en
             */
            language: string;
            /**
             * @example [
             *       "en"
             *     ]
             */
            languages: string[];
            /**
             * @description Its short name, for `X-Market`.
             * @example us
             */
            market: string;
            /**
             * @description Only such phones may sign in.
             * @example +1
             */
            phone_prefix: string;
            shipping: components["schemas"]["Shipping"];
        };
        /** @description The markets of this shop. */
        Markets: {
            /** @description The market of requests that name none, if there is one. */
            default_market: string | null;
            markets: components["schemas"]["Market"][];
        };
        /** @description What a visitor collected before signing in. */
        MergeCart: {
            /**
             * @description What was collected, at most 100 lines.
             * @example [
             *       {
             *         "quantity": 2,
             *         "sku_id": 42
             *       }
             *     ]
             */
            items: components["schemas"]["AddItem"][];
            /**
             * @description `max` (the default): of a SKU that both have, the larger quantity, so that nothing is ever
             *     doubled. `sum`: both together.
             * @default max
             * @example max
             */
            strategy: string | null;
        };
        /** @description A new address. */
        NewAddress: {
            apartment?: string | null;
            building?: string | null;
            /** @example Chicago */
            city?: string | null;
            country?: string | null;
            /**
             * @description The whole address in one line.
             * @example 233 S Wacker Dr, Chicago, IL 60606
             */
            full_address: string;
            /** @description Makes it the default. The first address is the default anyway. */
            is_default?: boolean | null;
            postal_code?: string | null;
            street?: string | null;
            /**
             * @description What the customer calls it.
             * @example Home
             */
            title?: string | null;
        };
        /** @description The phone to sign in with from now on. */
        NewPhone: {
            /**
             * @description A phone of the account's market.
             * @example +13128059852
             */
            new_phone: string;
            /**
             * @description A code that `send-code` sent to the present phone. Not needed within five minutes after
             *     signing in.
             */
            verification_code?: string | null;
        };
        /**
         * @description What changed about a line. `price_changed` carries `was` and `now`, `insufficient_stock` carries
         *     `available`, `unavailable` nothing more.
         */
        Notice: {
            /**
             * Format: int64
             * @description Pieces left.
             */
            available?: number;
            /** @description What changed. */
            code: components["schemas"]["NoticeCode"];
            /**
             * Format: int64
             * @description Which line.
             */
            item_id: number;
            /** @description The price now. */
            now?: components["schemas"]["Amount"];
            /**
             * Format: int64
             * @description Its SKU.
             */
            sku_id: number;
            /** @description The price when the customer last touched the line. */
            was?: components["schemas"]["Amount"];
        };
        /**
         * @description What changed about a line. One of those known today, or one that a later version adds.
         * @example price_changed
         */
        NoticeCode: components["schemas"]["KnownNoticeCode"] | string;
        /** @description One order. */
        OneOrder: {
            order: components["schemas"]["Order"];
            /** @description Always true. */
            success: boolean;
        };
        /** @description Something that was done to an account. */
        OperatorAction: {
            /**
             * @description `show`, `export`, `block`, `unblock`, `sign-out`, `change-phone`, `stop-phone-change`,
             *     `move-back`, `confirm-move`, `end-order`.
             * @example sign-out
             */
            action: string;
            at: components["schemas"]["Time"];
            /** @description Why, if that was said. */
            reason?: string | null;
        };
        /**
         * @description An order. Names and prices are copies made at checkout and never change after.
         * @example {
         *       "currency": "USD",
         *       "customer_email": "jo@example.com",
         *       "customer_name": "Jo Miller",
         *       "customer_phone": "+13128059851",
         *       "delivery_address": "233 S Wacker Dr",
         *       "delivery_city": "Chicago",
         *       "delivery_date": null,
         *       "delivery_notes": null,
         *       "history": [
         *         {
         *           "at": "2026-11-23T20:08:24Z",
         *           "status": "pending"
         *         }
         *       ],
         *       "id": 1001,
         *       "items": [
         *         {
         *           "color": "Sand",
         *           "id": 1,
         *           "image": "/demo/images/linen-shirt-sand.svg",
         *           "product_id": 15,
         *           "product_name": "Relaxed Linen Shirt",
         *           "quantity": 2,
         *           "size": "M",
         *           "sku_code": "LINEN-SHIRT-SAND-M",
         *           "sku_id": 42,
         *           "total_price": 119.98,
         *           "unit_price": 59.99
         *         }
         *       ],
         *       "items_count": 1,
         *       "order_date": "2026-11-23T20:08:24Z",
         *       "order_number": "#1001",
         *       "payment_method": "card",
         *       "shipping_cost": 0,
         *       "status": "pending",
         *       "subtotal": 119.98,
         *       "tax_amount": 0,
         *       "total_amount": 119.98
         *     }
         */
        Order: {
            /**
             * @description What all amounts are in, ISO 4217.
             * @example USD
             */
            currency: string;
            customer_email: string | null;
            customer_name: string;
            customer_phone: string;
            delivery_address: string;
            delivery_city: string | null;
            /** @description When it arrived. */
            delivery_date: components["schemas"]["Time"] | null;
            delivery_notes: string | null;
            /** @description Each status with its moment, the first first. */
            history: components["schemas"]["Reached"][];
            /**
             * Format: int64
             * @example 1001
             */
            id: number;
            items: components["schemas"]["OrderItem"][];
            /**
             * @description How many entries `items` has.
             * @example 1
             */
            items_count: number;
            /** @description When it was placed. */
            order_date: components["schemas"]["Time"];
            /**
             * @description What people say: the id, counted from 1001 in each market.
             * @example #1001
             */
            order_number: string;
            payment_method: string;
            /** @description What delivery costs. */
            shipping_cost: components["schemas"]["Amount"];
            /** @description How far it is. */
            status: components["schemas"]["OrderStatus"];
            /** @description What the goods cost. */
            subtotal: components["schemas"]["Amount"];
            /** @description The tax contained in the total. */
            tax_amount: components["schemas"]["Amount"];
            /** @description What the customer pays. */
            total_amount: components["schemas"]["Amount"];
        };
        /**
         * @description One SKU of an order.
         * @example {
         *       "color": "Sand",
         *       "id": 1,
         *       "image": "/demo/images/linen-shirt-sand.svg",
         *       "product_id": 15,
         *       "product_name": "Relaxed Linen Shirt",
         *       "quantity": 2,
         *       "size": "M",
         *       "sku_code": "LINEN-SHIRT-SAND-M",
         *       "sku_id": 42,
         *       "total_price": 119.98,
         *       "unit_price": 59.99
         *     }
         */
        OrderItem: {
            color: string | null;
            /**
             * Format: int64
             * @description Counted per order from 1.
             */
            id: number;
            image: string | null;
            /**
             * Format: int64
             * @example 15
             */
            product_id: number;
            product_name: string;
            /**
             * Format: int32
             * @example 2
             */
            quantity: number;
            size: string | null;
            sku_code: string;
            /**
             * Format: int64
             * @example 42
             */
            sku_id: number;
            /** @description What the pieces cost together. */
            total_price: components["schemas"]["Amount"];
            /** @description What one piece cost. */
            unit_price: components["schemas"]["Amount"];
        };
        /**
         * @description How far an order is.
         * @example pending
         * @enum {string}
         */
        OrderStatus: "pending" | "confirmed" | "processing" | "shipped" | "delivered" | "cancelled" | "returned";
        /**
         * @description Some of a customer's orders, the newest first.
         * @example {
         *       "has_more": false,
         *       "orders": [
         *         {
         *           "currency": "USD",
         *           "customer_email": "jo@example.com",
         *           "customer_name": "Jo Miller",
         *           "customer_phone": "+13128059851",
         *           "delivery_address": "233 S Wacker Dr",
         *           "delivery_city": "Chicago",
         *           "delivery_date": null,
         *           "delivery_notes": null,
         *           "history": [
         *             {
         *               "at": "2026-11-23T20:08:24Z",
         *               "status": "pending"
         *             }
         *           ],
         *           "id": 1001,
         *           "items": [
         *             {
         *               "color": "Sand",
         *               "id": 1,
         *               "image": "/demo/images/linen-shirt-sand.svg",
         *               "product_id": 15,
         *               "product_name": "Relaxed Linen Shirt",
         *               "quantity": 2,
         *               "size": "M",
         *               "sku_code": "LINEN-SHIRT-SAND-M",
         *               "sku_id": 42,
         *               "total_price": 119.98,
         *               "unit_price": 59.99
         *             }
         *           ],
         *           "items_count": 1,
         *           "order_date": "2026-11-23T20:08:24Z",
         *           "order_number": "#1001",
         *           "payment_method": "card",
         *           "shipping_cost": 0,
         *           "status": "pending",
         *           "subtotal": 119.98,
         *           "tax_amount": 0,
         *           "total_amount": 119.98
         *         }
         *       ],
         *       "success": true,
         *       "total": 1
         *     }
         */
        Orders: {
            /** @description True if there are more after these. */
            has_more: boolean;
            orders: components["schemas"]["Order"][];
            /** @description Always true. */
            success: boolean;
            /**
             * Format: int64
             * @description How many there are in all.
             * @example 1
             */
            total: number;
        };
        /**
         * @description Why a request was not done (RFC 9457). Some problems carry facts in members of their own; which
         *     of them, the `code` says.
         * @example {
         *       "available": 2,
         *       "code": "insufficient_stock",
         *       "detail": "Only 2 pieces of SKU 42 are left.",
         *       "request_id": "6c1a4f0e-5f0e-4e0b-8d9b-3d1f1f0b7a55",
         *       "sku_id": 42,
         *       "status": 409,
         *       "title": "Not enough pieces are left",
         *       "type": "urn:evercart:problem:insufficient_stock"
         *     }
         */
        Problem: {
            /** @description With `price_changed`: what the total is now. With `version_conflict`: the cart's version. */
            actual?: components["schemas"]["Amount"];
            /**
             * Format: int64
             * @description With `insufficient_stock`: pieces left.
             * @example 2
             */
            available?: number;
            code: components["schemas"]["ProblemCode"];
            /**
             * @description With `price_changed`: what the amounts are in, ISO 4217.
             * @example USD
             */
            currency?: string;
            /**
             * @description A sentence for a person.
             * @example Only 2 pieces of SKU 42 are left.
             */
            detail: string;
            /** @description With `validation_failed`: what is wrong with which field. */
            errors?: components["schemas"]["FieldError"][];
            /**
             * @description With `price_changed`: the total the client expected, in `currency`. With `version_conflict`:
             *     the cart's version in `If-Match`.
             */
            expected?: components["schemas"]["Amount"];
            /**
             * Format: int64
             * @description With `quantity_limit` and some `rate_limited`: how many are possible.
             * @example 999
             */
            limit?: number;
            /** @description `detail` again, for a client whose `Accept` names only `application/json`. */
            message?: string;
            /**
             * @description With `limit`: of what.
             * @example pieces of one SKU
             */
            of?: string;
            /**
             * Format: int64
             * @description With `cart_empty`, if an order emptied the cart: which.
             * @example 1001
             */
            order_id?: number;
            /**
             * @description With `order_id`: what people call it.
             * @example #1001
             */
            order_number?: string;
            /** @description With `order_not_cancellable`: how far the order is. */
            order_status?: components["schemas"]["OrderStatus"];
            /** @description With `open_orders`: the ids of orders still to be delivered, the oldest first. */
            orders?: number[];
            /**
             * @description To be told to whoever runs the shop.
             * @example 6c1a4f0e-5f0e-4e0b-8d9b-3d1f1f0b7a55
             */
            request_id: string;
            /**
             * Format: int64
             * @description With `insufficient_stock` and `sku_unavailable`: which SKU.
             * @example 42
             */
            sku_id?: number;
            /**
             * Format: int32
             * @example 409
             */
            status: number;
            /**
             * @description A summary that is the same every time.
             * @example Not enough pieces are left
             */
            title: string;
            /**
             * @description A name for the kind of problem.
             * @example urn:evercart:problem:insufficient_stock
             */
            type: string;
            /**
             * @description With `phone_moved` and `phone_on_hold`: when the hold is over. It is left out while the shop
             *     has to decide.
             */
            until?: components["schemas"]["Time"];
        };
        /**
         * @description What went wrong, for programs. Never renamed. One of those known today, or one that a later version adds.
         * @example malformed_json
         */
        ProblemCode: components["schemas"]["KnownProblemCode"] | string;
        /**
         * @description A product as a list shows it.
         * @example {
         *       "available": true,
         *       "brand": "Fennhollow",
         *       "category": "Clothing",
         *       "currency": "USD",
         *       "description": "European flax, garment-washed so it is soft from the first wear.",
         *       "id": 15,
         *       "image": "/demo/images/linen-shirt-sand.svg",
         *       "name": "Relaxed Linen Shirt",
         *       "original_price": null,
         *       "price": 59.99
         *     }
         */
        Product: {
            /** @description At least one of its SKUs is for sale and in stock. */
            available: boolean;
            brand: string | null;
            category: string | null;
            /**
             * @description What all amounts are in, ISO 4217.
             * @example USD
             */
            currency: string;
            description: string | null;
            /**
             * Format: int64
             * @example 15
             */
            id: number;
            image: string | null;
            name: string;
            /** @description That SKU's price before a reduction. */
            original_price: components["schemas"]["Amount"] | null;
            /** @description The lowest price among its SKUs for sale. */
            price: components["schemas"]["Amount"];
        };
        /** @description A product with what can be bought of it. */
        ProductPage: components["schemas"]["Product"] & {
            skus: components["schemas"]["Sku"][];
        };
        /** @description Some of the products for sale. */
        Products: {
            /** @description True if there are more after these. */
            has_more: boolean;
            products: components["schemas"]["Product"][];
            /**
             * Format: int64
             * @description How many match in all.
             * @example 36
             */
            total: number;
        };
        /**
         * @description What the shop knows of a customer.
         * @example {
         *       "country": "United States",
         *       "created_at": "2026-11-23T20:08:24Z",
         *       "currency": "USD",
         *       "currency_code": "USD",
         *       "email": "jo@example.com",
         *       "formatted_phone": "+1 312-805-9851",
         *       "full_name": "Jo Miller",
         *       "id": 19,
         *       "is_active": true,
         *       "is_verified": true,
         *       "language": "en",
         *       "last_login": "2026-11-23T20:08:24Z",
         *       "market": "us",
         *       "name": "Jo Miller",
         *       "phone_number": "+13128059851",
         *       "profile_image_url": null
         *     }
         */
        Profile: {
            /** @example United States */
            country: string;
            created_at: components["schemas"]["Time"];
            /** @example USD */
            currency: string;
            /** @example USD */
            currency_code: string;
            email: string | null;
            /** @example +1 312-805-9851 */
            formatted_phone: string;
            full_name: string | null;
            /**
             * Format: int64
             * @example 19
             */
            id: number;
            is_active: boolean;
            /** @description True: whoever signed in has shown that the phone is theirs. */
            is_verified: boolean;
            /**
             * @description The chosen language, else the market's.
             * @example en
             */
            language: string;
            last_login: components["schemas"]["Time"] | null;
            /** @example us */
            market: string;
            /** @description The full name, empty if there is none. */
            name: string;
            /** @example +13128059851 */
            phone_number: string;
            profile_image_url: string | null;
        };
        /** @description What to change of the profile. What is left out stays, null empties. */
        ProfileChange: {
            /**
             * Format: email
             * @example jo@example.com
             */
            email?: string | null;
            /** @example Jo Miller */
            full_name?: string | null;
            /** @description One of the market's languages. */
            language?: string | null;
            /**
             * Format: uri
             * @description An `https` or `http` URL.
             */
            profile_image_url?: string | null;
        };
        /** @description A status and when the order got it. */
        Reached: {
            at: components["schemas"]["Time"];
            status: components["schemas"]["OrderStatus"];
        };
        /** @description A phone to send a code to. */
        SendCode: {
            /**
             * @description E.164, or as people write it in the market. `phone_number` is read, too.
             * @example +13128059851
             */
            phone: string;
            /**
             * @description What the code is for: `sign_in`, or `stop_phone_change` for `/auth/phone/stop`. A code for
             *     one is worthless for the other.
             * @example sign_in
             */
            purpose?: string | null;
        };
        /** @description The new number of pieces of a line. */
        SetQuantity: {
            /**
             * Format: int32
             * @description Pieces; 0 removes the line.
             * @example 3
             */
            quantity: number;
        };
        /**
         * @description What delivery costs, so that a customer sees the whole price before ordering.
         * @example {
         *       "flat": 9.99,
         *       "free_from": 75
         *     }
         */
        Shipping: {
            /** @description What delivery of an order costs, in the market's currency. */
            flat: components["schemas"]["Amount"];
            /** @description From goods of this price on delivery is free; null if it never is. */
            free_from: components["schemas"]["Amount"] | null;
        };
        /**
         * @description A customer who has signed in, with their token.
         * @example {
         *       "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.…",
         *       "expires_in": 1800,
         *       "is_new_user": true,
         *       "market": "us",
         *       "message": "Welcome!",
         *       "success": true,
         *       "token_type": "bearer",
         *       "user": {
         *         "email": null,
         *         "full_name": null,
         *         "id": 19,
         *         "is_active": true,
         *         "is_verified": true,
         *         "market": "us",
         *         "name": "",
         *         "phone": "+13128059851"
         *       }
         *     }
         */
        SignedIn: {
            /** @description For `Authorization: Bearer …`. It is nowhere in the database: keep it. */
            access_token: string;
            /**
             * Format: int64
             * @description Seconds the token is good for.
             * @example 1800
             */
            expires_in: number;
            /** @description True the first time. */
            is_new_user: boolean;
            /** @example us */
            market: string;
            /** @description For a person. */
            message: string;
            /** @description Always true. */
            success: boolean;
            /**
             * @description `bearer`.
             * @example bearer
             */
            token_type: string;
            user: components["schemas"]["SignedInUser"];
        };
        /** @description Who has signed in. */
        SignedInUser: {
            email: string | null;
            full_name: string | null;
            /**
             * Format: int64
             * @description Never changes; cart, wishlist and orders hang on it.
             * @example 19
             */
            id: number;
            is_active: boolean;
            /** @description True: whoever signed in has shown that the phone is theirs. */
            is_verified: boolean;
            /** @example us */
            market: string;
            /** @description The full name, empty if there is none. */
            name: string;
            /** @example +13128059851 */
            phone: string;
        };
        /**
         * @description Why a merge did not take over all that was offered. With `insufficient_stock` what there is was taken over. One of those known today, or one that a later version adds.
         * @example not_found
         */
        SkipReason: components["schemas"]["KnownSkipReason"] | string;
        /** @description A SKU of which a merge did not take over all that was offered. */
        Skipped: {
            /** @description Why. */
            reason: components["schemas"]["SkipReason"];
            /**
             * Format: int64
             * @description Which.
             * @example 42
             */
            sku_id: number;
        };
        /**
         * @description What can be bought: one size and colour of a product.
         * @example {
         *       "color": "Sand",
         *       "id": 42,
         *       "image": "/demo/images/linen-shirt-sand.svg",
         *       "original_price": null,
         *       "price": 59.99,
         *       "size": "M",
         *       "sku_code": "LINEN-SHIRT-SAND-M",
         *       "stock_status": "in_stock"
         *     }
         */
        Sku: {
            color: string | null;
            /**
             * Format: int64
             * @description The `sku_id` for the cart.
             * @example 42
             */
            id: number;
            image: string | null;
            /** @description What one piece cost before a reduction. */
            original_price: components["schemas"]["Amount"] | null;
            /** @description What one piece costs. */
            price: components["schemas"]["Amount"];
            size: string | null;
            /** @description The shop's own code. */
            sku_code: string;
            /**
             * @description `in_stock`, `low_stock` (at most 5 pieces) or `out_of_stock`.
             * @example in_stock
             */
            stock_status: string;
        };
        /** @description The phone an account was moved away from, and the code that was sent there to stop it. */
        StopPhoneChange: {
            /**
             * @description The former phone. `phone_number` is read, too.
             * @example +13128059854
             */
            phone: string;
            /**
             * @description The six digits that `send-code` sent with the purpose `stop_phone_change`. `code` is read,
             *     too.
             * @example 123456
             */
            verification_code: string;
        };
        /**
         * Format: date-time
         * @description A moment, RFC 3339 in UTC.
         * @example 2026-11-23T20:08:24Z
         */
        Time: string;
        /** @description That a token is good. */
        TokenVerified: {
            /** @example USD */
            currency: string;
            /** @description The token's end. */
            expires_at: components["schemas"]["Time"];
            /** @example +1 312-805-9851 */
            formatted_phone: string;
            /** @example us */
            market: string;
            /** @example +13128059851 */
            phone_number: string;
            /**
             * Format: int64
             * @example 19
             */
            user_id: number;
            /** @description Always true. */
            valid: boolean;
        };
        /** @description A phone and the code that was sent to it. */
        VerifyCode: {
            /**
             * @description As in `send-code`. `phone_number` is read, too.
             * @example +13128059851
             */
            phone: string;
            /**
             * @description Six digits. `code` is read, too.
             * @example 123456
             */
            verification_code: string;
        };
        /** @description A message that is not sent yet. */
        WaitingMessage: {
            text: string;
            /**
             * @description Where to, masked: it may be a phone of before.
             * @example +1312•••9851
             */
            to: string;
            written_at: components["schemas"]["Time"];
        };
        /**
         * @description What a wishlist shows of a product.
         * @example {
         *       "available": true,
         *       "brand": "Fennhollow",
         *       "id": 15,
         *       "image": "/demo/images/linen-shirt-sand.svg",
         *       "name": "Relaxed Linen Shirt",
         *       "original_price": null,
         *       "price": 59.99
         *     }
         */
        WishedProduct: {
            /** @description At least one of its SKUs is for sale and in stock. */
            available: boolean;
            brand: string | null;
            /**
             * Format: int64
             * @example 15
             */
            id: number;
            image: string | null;
            name: string;
            /** @description That SKU's price before a reduction. */
            original_price: components["schemas"]["Amount"] | null;
            /** @description The lowest price among its SKUs for sale. */
            price: components["schemas"]["Amount"];
        };
        /** @description A customer's wishlist. There is one for each customer. */
        Wishlist: {
            /**
             * Format: int64
             * @description The customer's id again: one wishlist each.
             * @example 19
             */
            id: number;
            /** @description The newest first. */
            items: components["schemas"]["WishlistItem"][];
            /**
             * @description How many products are on it.
             * @example 1
             */
            total_items: number;
            /**
             * Format: int64
             * @description Whose it is.
             * @example 19
             */
            user_id: number;
        };
        /** @description One product on a wishlist. */
        WishlistItem: {
            /** @description When it was put there. */
            added_at: components["schemas"]["Time"];
            /** Format: int64 */
            id: number;
            product: components["schemas"]["WishedProduct"];
            /**
             * Format: int64
             * @example 15
             */
            product_id: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    erase: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EraseAccount"];
            };
        };
        responses: {
            /** @description It is erased */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Your account is erased. Orders are kept without your name, phone and address.",
                     *       "success": true
                     *     }
                     */
                    "application/json": components["schemas"]["Confirmation"];
                };
            };
            /** @description `code_invalid` (wrong, used, outdated), `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `open_orders`: `orders` are still to be delivered; with `even_open_orders` it is done all the same, and the code is still good. `phone_on_hold`: the phone was changed a short while ago; `until` says how long it stays */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_attempts`; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All there is */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Export"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `sign_in_not_fresh`: the sign-in is more than five minutes old */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: one is being read; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed out */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Logged out successfully. User is now inactive. Cart, wishlist and orders are kept.",
                     *       "success": true
                     *     }
                     */
                    "application/json": components["schemas"]["Confirmation"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` (of `Idempotency-Key`), `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_markets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The markets */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Markets"];
                };
            };
            /** @description `host_required` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ask_for_phone: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPhone"];
            };
        };
        responses: {
            /** @description The code is on its way */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "demo_code": "123456",
                     *       "expires_in_minutes": 10,
                     *       "language": "en",
                     *       "market": "us",
                     *       "message": "We sent a code to the new number. Type it in to use it.",
                     *       "phone_number": "+13128059852",
                     *       "resend_after_seconds": 60,
                     *       "success": true
                     *     }
                     */
                    "application/json": components["schemas"]["CodeSent"];
                };
            };
            /** @description `code_invalid` (wrong, used, outdated), `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `phone_on_hold`: the phone was changed a short while ago; `until` says how long it stays */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`, `too_many_attempts`; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`, `sms_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    confirm_phone: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmPhone"];
            };
        };
        responses: {
            /** @description Signed in with the new phone */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.…",
                     *       "expires_in": 1800,
                     *       "is_new_user": false,
                     *       "market": "us",
                     *       "message": "Your account has a new phone number.",
                     *       "success": true,
                     *       "token_type": "bearer",
                     *       "user": {
                     *         "email": "jo@example.com",
                     *         "full_name": "Jo Miller",
                     *         "id": 19,
                     *         "is_active": true,
                     *         "is_verified": true,
                     *         "market": "us",
                     *         "name": "Jo Miller",
                     *         "phone": "+13128059852"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description `code_invalid` (wrong, used, outdated), `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `phone_taken`: it is another account's; `phone_moved`: another account was moved away from it a short while ago; `phone_on_hold`: this account's phone was changed a short while ago */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_attempts`; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stop_phone_change: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the phone says it.
                 * @example us
                 */
                "X-Market"?: string;
                /** @description Do it once, however often it is sent within 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StopPhoneChange"];
            };
        };
        responses: {
            /** @description The account is frozen */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "The change is stopped. Nobody can sign in to the account until the shop has decided. Contact the shop.",
                     *       "success": true
                     *     }
                     */
                    "application/json": components["schemas"]["Confirmation"];
                };
            };
            /** @description `code_invalid` (wrong, used, outdated), `malformed_json`, `market_required`, `market_unknown`, `market_mismatch` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: no change that could be stopped */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_attempts`; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`, `sms_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_profile: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The profile */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_profile: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProfileChange"];
            };
        };
        responses: {
            /** @description The profile after it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patch_profile: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProfileChange"];
            };
        };
        responses: {
            /** @description The profile after it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    send_code: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the phone says it.
                 * @example us
                 */
                "X-Market"?: string;
                /** @description Do it once, however often it is sent within 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendCode"];
            };
        };
        responses: {
            /** @description The code is on its way */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CodeSent"];
                };
            };
            /** @description `malformed_json`, `market_required`, `market_unknown`, `market_mismatch` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`, `too_many_attempts`; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`, `sms_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    send_verification: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the phone says it.
                 * @example us
                 */
                "X-Market"?: string;
                /** @description Do it once, however often it is sent within 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendCode"];
            };
        };
        responses: {
            /** @description The code is on its way */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CodeSent"];
                };
            };
            /** @description `malformed_json`, `market_required`, `market_unknown`, `market_mismatch` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`, `too_many_attempts`; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`, `sms_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    verify_code: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the phone says it.
                 * @example us
                 */
                "X-Market"?: string;
                /** @description Do it once, however often it is sent within 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyCode"];
            };
        };
        responses: {
            /** @description Signed in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description `code_invalid` (wrong, used, outdated), `malformed_json`, `market_required`, `market_unknown`, `market_mismatch` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `phone_moved`: an account was moved away from this phone, `until` says how long the change is on hold; `phone_on_hold`: the change to this phone was stopped, and the shop has to decide */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_attempts`; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`, `sms_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    verify_token: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is good */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenVerified"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_cart: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /** @description An `ETag`: answered with 304 if the cart still has it. */
                "If-None-Match"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cart */
            200: {
                headers: {
                    /** @description `"<version>-<digest>"` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cart"];
                };
            };
            /** @description The cart is as the client has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    clear_cart: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
                /** @description The cart's `ETag`: do it only if the cart is still at that version. */
                "If-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The empty cart */
            200: {
                headers: {
                    /** @description `"<version>-<digest>"` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "currency": "USD",
                     *       "id": 19,
                     *       "items": [],
                     *       "notices": [],
                     *       "total_items": 0,
                     *       "total_price": 0,
                     *       "updated_at": "2026-11-23T20:08:24Z",
                     *       "user_id": 19,
                     *       "version": 3
                     *     }
                     */
                    "application/json": components["schemas"]["Cart"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `version_conflict`: `If-Match` names an older cart */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` (of `Idempotency-Key`), `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cart_events: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /** @description The id of the last `cart` event that was seen */
                "Last-Event-ID"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events until the customer signs out */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_item: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
                /** @description The cart's `ETag`: do it only if the cart is still at that version. */
                "If-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddItem"];
            };
        };
        responses: {
            /** @description The cart after it */
            200: {
                headers: {
                    /** @description `"<version>-<digest>"` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cart"];
                };
            };
            /** @description `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient_stock`, `sku_unavailable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `version_conflict`: `If-Match` names an older cart */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_item: {
        parameters: {
            query?: {
                /** @description Instead of a body */
                quantity?: number;
            };
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
                /** @description The cart's `ETag`: do it only if the cart is still at that version. */
                "If-Match"?: string;
            };
            path: {
                /**
                 * @description A line's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SetQuantity"];
            };
        };
        responses: {
            /** @description The cart after it */
            200: {
                headers: {
                    /** @description `"<version>-<digest>"` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "currency": "USD",
                     *       "id": 19,
                     *       "items": [
                     *         {
                     *           "available": true,
                     *           "color": "Sand",
                     *           "id": 1,
                     *           "image": "/demo/images/linen-shirt-sand.svg",
                     *           "line_total": 179.97,
                     *           "name": "Relaxed Linen Shirt",
                     *           "original_price": null,
                     *           "price": 59.99,
                     *           "product_id": 15,
                     *           "quantity": 3,
                     *           "size": "M",
                     *           "sku_code": "LINEN-SHIRT-SAND-M",
                     *           "sku_id": 42
                     *         }
                     *       ],
                     *       "notices": [],
                     *       "total_items": 3,
                     *       "total_price": 179.97,
                     *       "updated_at": "2026-11-23T20:08:24Z",
                     *       "user_id": 19,
                     *       "version": 2
                     *     }
                     */
                    "application/json": components["schemas"]["Cart"];
                };
            };
            /** @description `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient_stock`, `sku_unavailable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `version_conflict`: `If-Match` names an older cart */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_item: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
                /** @description The cart's `ETag`: do it only if the cart is still at that version. */
                "If-Match"?: string;
            };
            path: {
                /**
                 * @description A line's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cart after it */
            200: {
                headers: {
                    /** @description `"<version>-<digest>"` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "currency": "USD",
                     *       "id": 19,
                     *       "items": [],
                     *       "notices": [],
                     *       "total_items": 0,
                     *       "total_price": 0,
                     *       "updated_at": "2026-11-23T20:08:24Z",
                     *       "user_id": 19,
                     *       "version": 3
                     *     }
                     */
                    "application/json": components["schemas"]["Cart"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `version_conflict`: `If-Match` names an older cart */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` (of `Idempotency-Key`), `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patch_item: {
        parameters: {
            query?: {
                /** @description Instead of a body */
                quantity?: number;
            };
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
                /** @description The cart's `ETag`: do it only if the cart is still at that version. */
                "If-Match"?: string;
            };
            path: {
                /**
                 * @description A line's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SetQuantity"];
            };
        };
        responses: {
            /** @description The cart after it */
            200: {
                headers: {
                    /** @description `"<version>-<digest>"` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "currency": "USD",
                     *       "id": 19,
                     *       "items": [
                     *         {
                     *           "available": true,
                     *           "color": "Sand",
                     *           "id": 1,
                     *           "image": "/demo/images/linen-shirt-sand.svg",
                     *           "line_total": 179.97,
                     *           "name": "Relaxed Linen Shirt",
                     *           "original_price": null,
                     *           "price": 59.99,
                     *           "product_id": 15,
                     *           "quantity": 3,
                     *           "size": "M",
                     *           "sku_code": "LINEN-SHIRT-SAND-M",
                     *           "sku_id": 42
                     *         }
                     *       ],
                     *       "notices": [],
                     *       "total_items": 3,
                     *       "total_price": 179.97,
                     *       "updated_at": "2026-11-23T20:08:24Z",
                     *       "user_id": 19,
                     *       "version": 2
                     *     }
                     */
                    "application/json": components["schemas"]["Cart"];
                };
            };
            /** @description `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient_stock`, `sku_unavailable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `version_conflict`: `If-Match` names an older cart */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    merge_cart: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
                /** @description The cart's `ETag`: do it only if the cart is still at that version. */
                "If-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MergeCart"];
            };
        };
        responses: {
            /** @description The cart after it, with `skipped` */
            200: {
                headers: {
                    /** @description `"<version>-<digest>"` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "currency": "USD",
                     *       "id": 19,
                     *       "items": [
                     *         {
                     *           "available": true,
                     *           "color": "Sand",
                     *           "id": 1,
                     *           "image": "/demo/images/linen-shirt-sand.svg",
                     *           "line_total": 119.98,
                     *           "name": "Relaxed Linen Shirt",
                     *           "original_price": null,
                     *           "price": 59.99,
                     *           "product_id": 15,
                     *           "quantity": 2,
                     *           "size": "M",
                     *           "sku_code": "LINEN-SHIRT-SAND-M",
                     *           "sku_id": 42
                     *         }
                     *       ],
                     *       "notices": [],
                     *       "skipped": [],
                     *       "total_items": 2,
                     *       "total_price": 119.98,
                     *       "updated_at": "2026-11-23T20:08:24Z",
                     *       "user_id": 19,
                     *       "version": 1
                     *     }
                     */
                    "application/json": components["schemas"]["Cart"];
                };
            };
            /** @description `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `version_conflict`: `If-Match` names an older cart */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_categories: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The market, if the token or the shop's default does not say it.
                 * @example us
                 */
                "X-Market"?: string;
                /** @description An `ETag`: answered with 304 if the answer still has it. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The categories */
            200: {
                headers: {
                    /** @description A digest of the answer */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Categories"];
                };
            };
            /** @description They are as the client has them */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `market_required`, `market_unknown`, `market_mismatch` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `catalogue_busy`, `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    docs_page: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description `host_required` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Alive */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description `host_required` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openapi_document: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An OpenAPI document */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description `host_required` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_orders: {
        parameters: {
            query?: {
                /** @description At most so many. */
                limit?: number;
                /** @description After so many. */
                offset?: number;
                /** @description Only orders of this status */
                status_filter?: string;
            };
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of orders */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Orders"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkout: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
                /** @description The cart's `ETag`: do it only if the cart is still at that version. */
                "If-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Checkout"];
            };
        };
        responses: {
            /** @description The order */
            201: {
                headers: {
                    /** @description Where it is */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            /** @description `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `cart_empty` with `order_id` and `order_number` if an order emptied the cart, `insufficient_stock`, `sku_unavailable`, `price_changed` with `expected` and `actual` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `version_conflict`: `If-Match` names an older cart */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_order: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
                /** @description The cart's `ETag`: do it only if the cart is still at that version. */
                "If-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Checkout"];
            };
        };
        responses: {
            /** @description The order */
            201: {
                headers: {
                    /** @description Where it is */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            /** @description `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `cart_empty` with `order_id` and `order_number` if an order emptied the cart, `insufficient_stock`, `sku_unavailable`, `price_changed` with `expected` and `actual` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `version_conflict`: `If-Match` names an older cart */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_order: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
            };
            path: {
                /**
                 * @description An order's id
                 * @example 1001
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The order */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneOrder"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_order: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description An order's id
                 * @example 1001
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is cancelled */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cancelled"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `order_not_cancellable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` (of `Idempotency-Key`), `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_products: {
        parameters: {
            query?: {
                /** @description At most so many. */
                limit?: number;
                /** @description After so many. */
                offset?: number;
                /**
                 * @description Words that words in name, brand, category or description begin with. What comes after eight words, or after 32 characters of one, is passed over
                 * @example shirt
                 */
                search?: string;
                /** @description Only this category */
                category?: string;
            };
            header?: {
                /**
                 * @description The market, if the token or the shop's default does not say it.
                 * @example us
                 */
                "X-Market"?: string;
                /** @description An `ETag`: answered with 304 if the answer still has it. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of products */
            200: {
                headers: {
                    /** @description A digest of the answer */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Products"];
                };
            };
            /** @description The page is as the client has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `market_required`, `market_unknown`, `market_mismatch` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `catalogue_busy`, `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_product: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The market, if the token or the shop's default does not say it.
                 * @example us
                 */
                "X-Market"?: string;
                /** @description An `ETag`: answered with 304 if the answer still has it. */
                "If-None-Match"?: string;
            };
            path: {
                /**
                 * @description A product's id
                 * @example 15
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The product */
            200: {
                headers: {
                    /** @description A digest of the answer */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductPage"];
                };
            };
            /** @description The product is as the client has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `market_required`, `market_unknown`, `market_mismatch` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `catalogue_busy`, `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_addresses: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The addresses */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Addresses"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_address: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewAddress"];
            };
        };
        responses: {
            /** @description The new address */
            201: {
                headers: {
                    /** @description Where it is */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Address"];
                };
            };
            /** @description `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_address: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description An address's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddressFields"];
            };
        };
        responses: {
            /** @description The address after it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Address"];
                };
            };
            /** @description `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_address: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description An address's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is removed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "The address is removed.",
                     *       "success": true
                     *     }
                     */
                    "application/json": components["schemas"]["Confirmation"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` (of `Idempotency-Key`), `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patch_address: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description An address's id
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddressFields"];
            };
        };
        responses: {
            /** @description The address after it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Address"];
                };
            };
            /** @description `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_profile_orders: {
        parameters: {
            query?: {
                /** @description At most so many. */
                limit?: number;
                /** @description After so many. */
                offset?: number;
                /** @description Only orders of this status */
                status_filter?: string;
            };
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of orders */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Orders"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_profile_order: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
            };
            path: {
                /**
                 * @description An order's id
                 * @example 1001
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The order */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneOrder"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_profile_order: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description An order's id
                 * @example 1001
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is cancelled */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cancelled"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `order_not_cancellable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` (of `Idempotency-Key`), `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description `host_required` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `store_unavailable`, `overloaded` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_wishlist: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The wishlist */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Wishlist"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    clear_wishlist: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The empty wishlist */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 19,
                     *       "items": [],
                     *       "total_items": 0,
                     *       "user_id": 19
                     *     }
                     */
                    "application/json": components["schemas"]["Wishlist"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` (of `Idempotency-Key`), `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_wish: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddWish"];
            };
        };
        responses: {
            /** @description The wishlist after it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Wishlist"];
                };
            };
            /** @description `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_wish: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description A product's id
                 * @example 15
                 */
                product_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The wishlist after it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 19,
                     *       "items": [],
                     *       "total_items": 0,
                     *       "user_id": 19
                     *     }
                     */
                    "application/json": components["schemas"]["Wishlist"];
                };
            };
            /** @description `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` (of `Idempotency-Key`), `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    move_to_cart: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description May be left out: the token says it. Another one than the token's is refused.
                 * @example us
                 */
                "X-Market"?: string;
                /**
                 * @description Do it once, however often it is sent within 24 hours. A repeat is answered as the first
                 *     time, with `Idempotent-Replayed: true`.
                 */
                "Idempotency-Key"?: string;
                /** @description The cart's `ETag`: do it only if the cart is still at that version. */
                "If-Match"?: string;
            };
            path: {
                /**
                 * @description A product's id
                 * @example 15
                 */
                product_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddItem"];
            };
        };
        responses: {
            /** @description The cart after it */
            200: {
                headers: {
                    /** @description `"<version>-<digest>"` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cart"];
                };
            };
            /** @description `malformed_json`, `market_mismatch`, `market_unknown` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: there is no such thing, or it is somebody else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient_stock`, `sku_unavailable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `version_conflict`: `If-Match` names an older cart */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed`, `quantity_limit`, `idempotency_key_reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: something is wrong on our side */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
