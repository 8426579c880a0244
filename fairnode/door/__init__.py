"""What the three doors (fdp, api, pages) have in common: how they speak HTTP.

Which form to answer in, errors as problem+json (RFC 9457), validators and conditional requests (RFC 9110),
and who asks. Nothing here knows a record or a page.
"""
