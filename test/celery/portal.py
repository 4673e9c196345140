"""The portal's tasks as the tests need them: each does exactly what its name says."""
import os
import time

from celery import Celery

app = Celery('portal', broker=os.environ['BROKER'])
app.conf.worker_hijack_root_logger = False
app.conf.task_send_sent_event = os.environ.get('SENT_EVENTS') == '1'
if os.environ.get('TEN_PRIORITIES') == '1':
    # As Celery's documentation says.
    app.conf.broker_transport_options = {
        'priority_steps': list(range(10)),
        'sep': ':',
        'queue_order_strategy': 'priority',
    }


@app.task
def sync_customer(email):
    return email


@app.task
def broken(email):
    raise ValueError(f'no customer {email}')


@app.task
def slow(seconds):
    time.sleep(seconds)


@app.task(bind=True, max_retries=2)
def flaky(self):
    if self.request.retries < 2:
        raise self.retry(countdown=0)


if __name__ == '__main__':
    # The calls as lines of JSON: [task, arguments, options].
    import json
    import sys

    for line in sys.stdin:
        name, args, options = json.loads(line)
        print(app.tasks[f'portal.{name}'].apply_async(args, **options).id, flush=True)
