"""Servers of objects that speak Amazon's S3 and do not say who they are: their list of buckets, or how they refuse it.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
"""

from __future__ import annotations

from homeport.services.sites.signs import body, both, entry, header, status

SITE = entry(
    "S3-compatible API",
    body(
        r"\A(?:<\?xml [^>\n]{1,60}\?>\s{0,9})?"
        r'<ListAllMyBucketsResult xmlns="https?://(?:doc\.)?s3\.amazonaws\.com/(?:doc/)?2006-03-01/?">',
        at="/",
    ),
    both(
        status(400, 403),
        header("x-amz-request-id"),
        body(r"\A(?:<\?xml [^>\n]{1,60}\?>\s{0,9})?<Error><Code>\w{4,60}</Code>", at="/"),
    ),
)
