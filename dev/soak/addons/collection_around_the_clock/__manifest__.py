{
    "name": "Collections around the Clock",
    "summary": "For proofs: customers are written to on any day, at any hour",
    "version": "19.0.1.0.0",
    "author": "account_collection contributors",
    "website": "https://github.com/account-collection/account_collection",
    "license": "LGPL-3",
    "depends": ["account_collection"],
}
