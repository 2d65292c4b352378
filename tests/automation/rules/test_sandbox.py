"""The sandbox that a person starts has a stage that asks for the payment."""

from sandbox.pipeline_action import add_action
from tests.automation.rules.stage import stages_of
from tests.world import World


async def test_a_deal_that_is_moved_to_the_sandboxs_stage_gets_a_link(product: World) -> None:
    await product.stored.set_options(send_hours=[0, 24], send_weekdays=[1, 2, 3, 4, 5, 6, 7])  # whatever time it is now
    named = await add_action(product.kommo, product.integration, product.url)
    account = product.account
    lead_id = account.add_lead("Sofa", 300, contacts=[account.add_contact("Ann", email="ann@example.com")]).id
    status = next(one for one in account.main_pipeline.statuses if one.name == named)
    assert status.id in stages_of(product)
    product.kommo.person().move_lead(lead_id, status.id)
    await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_LINK"))
    await product.until(lambda: account.tasks_of(lead_id))  # no chat is open: the responsible user sends the link
