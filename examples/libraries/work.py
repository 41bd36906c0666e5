"""The same calls for every library: what is judged is how the library makes them."""

import datetime
import os
import sys
import uuid

API = f"{os.environ['QUBS_BASE_URL']}/integrations/v1/{os.environ['QUBS_DOMAIN']}"
FORM = {
    "grant_type": "client_credentials",
    "client_id": os.environ["QUBS_CLIENT_ID"],
    "client_secret": os.environ["QUBS_CLIENT_SECRET"],
}
TODAY, WEEK = datetime.date.today(), datetime.timedelta(days=7)
PATHS = [
    "sites",
    "sites/Central%20Clinic/exam-codes",
    "reporting/appointments/pending?pageSize=100",
    "reporting/appointments/A123456",
    f"appointments?take=100&startDate={TODAY - WEEK}&endDate={TODAY + WEEK}",
    "appointments/A123456",
    "appointments/operational/by-id/A123456",
]


def work(get_token, get, post):
    """Makes the calls; what fails for good is told and passed over, as a nightly job would."""
    token = None
    for call, arguments in (
        [(get_token, (os.environ["QUBS_TOKEN_URL"], FORM))]
        + [(get, (f"{API}/{path}",)) for path in PATHS]
        + [(post, (f"{API}/reporting/appointments/A123456/comments", {"commentText": "Images received."}))]
    ):
        fields = {"Authorization": f"Bearer {token}", "X-Correlation-Id": str(uuid.uuid4())}
        if call is post:
            fields["Idempotency-Key"] = str(uuid.uuid4())
        try:
            if call is get_token:
                token = get_token(*arguments)
            else:
                call(*arguments, fields)
        except Exception as error:  # Each library has errors of its own.
            print(f"{arguments[0]}: {type(error).__name__}", file=sys.stderr)
