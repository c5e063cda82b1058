"""Signs in, fills a cart and orders it with what openapi-python-client made: `… FOLDER SHOP`."""

import sys

folder, shop = sys.argv[1:]
sys.path.insert(0, folder)

from shop_client import AuthenticatedClient, Client
from shop_client.api.cart import add_item, get_cart
from shop_client.api.catalogue import get_product, list_products
from shop_client.api.orders import checkout
from shop_client.api.signing_in import send_code, verify_code
from shop_client.models import AddItem, Checkout, KnownProblemCode, OrderStatus, Problem
from shop_client.models import SendCode, VerifyCode

PHONE = "+13125551901"
anybody = Client(base_url=shop)
wrong = verify_code.sync(
    client=anybody, body=VerifyCode(phone=PHONE, verification_code="000000"), x_market="us"
)
assert isinstance(wrong, Problem) and wrong.code == KnownProblemCode.CODE_INVALID, wrong
sent = send_code.sync(client=anybody, body=SendCode(phone=PHONE))
signed_in = verify_code.sync(
    client=anybody, body=VerifyCode(phone=PHONE, verification_code=sent.demo_code)
)
customer = AuthenticatedClient(base_url=shop, token=signed_in.access_token)

first = list_products.sync(client=anybody, limit=1, x_market="us").products[0]
sku = get_product.sync(first.id, client=anybody, x_market="us").skus[0]
cart = add_item.sync(client=customer, body=AddItem(sku_id=sku.id, quantity=2), idempotency_key="a")
assert cart.total_items == 2 and cart.items[0].price == sku.price, cart
refused = add_item.sync(client=customer, body=AddItem(sku_id=sku.id, quantity=900))
assert isinstance(refused, Problem), refused
assert refused.code == KnownProblemCode.INSUFFICIENT_STOCK, refused
assert refused.sku_id == sku.id and isinstance(refused.available, int), refused

form = Checkout(customer_name="Ada", delivery_address="1 Main Street", payment_method="card")
order = checkout.sync(client=customer, body=form, idempotency_key="order")
again = checkout.sync(client=customer, body=form, idempotency_key="order")
assert order.id == again.id and order.status == OrderStatus.PENDING, (order, again)
assert get_cart.sync(client=customer).total_items == 0

# A code of a later version is read as the text it is.
told = {**refused.to_dict(), "code": "of_a_later_version"}
assert Problem.from_dict(told).code == "of_a_later_version"
print(f"openapi-python-client: order {order.order_number}")
