// Where a customer's orders go.

import type { Core } from "./core.js";
import type { Address, AddressFields } from "./types.js";

const PATH = "/profile/addresses";

/** The customer's addresses. */
export class Addresses {
  readonly #core: Core;

  /** @internal */
  constructor(core: Core) {
    this.#core = core;
  }

  /** All of them, the default first. */
  async list(signal?: AbortSignal): Promise<Address[]> {
    const answer = await this.#core.own({ path: PATH, signal });
    return answer.addresses;
  }

  /** Stores one. The first is the default anyway. */
  async add(fields: AddressFields & { full_address: string }): Promise<Address> {
    return this.#core.own({ method: "POST", path: PATH, body: fields });
  }

  /** Changes one: what is left out stays, null empties. */
  async update(id: number, fields: AddressFields): Promise<Address> {
    return this.#core.own({ method: "PUT", path: `${PATH}/${id}`, body: fields });
  }

  /** Removes one; if it was the default, another becomes it. */
  async remove(id: number): Promise<void> {
    await this.#core.own({ method: "DELETE", path: `${PATH}/${id}` });
  }
}
