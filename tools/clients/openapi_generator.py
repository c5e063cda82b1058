"""Signs in, fills a cart and orders it with what openapi-generator made: `… FOLDER SHOP`."""

import json
import sys
from decimal import Decimal

folder, shop = sys.argv[1:]
sys.path.insert(0, folder)

import shop_client
from shop_client import AddItem, Checkout, OrderStatus, Problem, SendCode, VerifyCode
from shop_client.exceptions import ApiException

PHONE = "+13125551902"


def problem_of(call):
    """What a call that must be refused was told."""
    try:
        call()
    except ApiException as refused:
        return Problem.from_json(refused.body)
    raise AssertionError("it was not refused")


def code_of(problem):
    known = problem.code.actual_instance
    return getattr(known, "value", known)


api = shop_client.ApiClient(shop_client.Configuration(host=shop))
signing_in = shop_client.SigningInApi(api)
right = VerifyCode(phone=PHONE, verification_code="000000")
wrong = problem_of(lambda: signing_in.verify_code(right, x_market="us"))
assert code_of(wrong) == "code_invalid", wrong
right.verification_code = signing_in.send_code(SendCode(phone=PHONE)).demo_code
token = signing_in.verify_code(right).access_token
mine = shop_client.ApiClient(shop_client.Configuration(host=shop, access_token=token))

catalogue = shop_client.CatalogueApi(api)
first = catalogue.list_products(limit=1, x_market="us").products[0]
sku = catalogue.get_product(first.id, x_market="us").skus[0]
assert isinstance(sku.price, Decimal) and sku.price == round(sku.price, 2), sku
carts = shop_client.CartApi(mine)
cart = carts.add_item(AddItem(sku_id=sku.id, quantity=2), idempotency_key="a")
assert cart.total_items == 2 and cart.total_price == 2 * sku.price, cart
refused = problem_of(lambda: carts.add_item(AddItem(sku_id=sku.id, quantity=900)))
assert code_of(refused) == "insufficient_stock", refused
assert refused.sku_id == sku.id and isinstance(refused.available, int), refused
# A stream has no end to wait for, so that there is no such method.
assert not hasattr(carts, "cart_events")

form = Checkout(customer_name="Ada", delivery_address="1 Main Street", payment_method="card")
orders = shop_client.OrdersApi(mine)
order = orders.checkout(form, idempotency_key="order")
again = orders.checkout(form, idempotency_key="order")
assert order.id == again.id and order.status == OrderStatus.PENDING, (order, again)
assert carts.get_cart().total_items == 0

# A code of a later version is read as the text it is.
told = {**json.loads(refused.to_json()), "code": "of_a_later_version"}
assert code_of(Problem.from_json(json.dumps(told))) == "of_a_later_version"
print(f"openapi-generator: order {order.order_number}")
