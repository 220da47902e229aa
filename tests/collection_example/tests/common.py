from odoo.addons.account_collection.tests.plan_common import PlanCommon


class ExampleCommon(PlanCommon):
    """A public customer who is in the chat, one who is neither, and a plan whose first reminder goes by chat."""

    company_name = "Ateliers Exemple"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.write({"example_is_public": True, "example_chat_name": "petit", "example_contract": "K-7"})
        cls._step(3).channel = "chat"
