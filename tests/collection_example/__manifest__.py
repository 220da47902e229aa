{
    "name": "Receivables Follow-up: Example of an Extension",
    "summary": "Shows developers each extension point of account_collection, and is tested with it",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "account_collection contributors",
    "license": "LGPL-3",
    "depends": ["account_collection"],
    "data": [
        "views/collection_campaign_views.xml",
        "views/collection_provider_views.xml",
        "views/res_partner_views.xml",
    ],
}
