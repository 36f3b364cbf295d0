"""Enqueues image URLs with boto3: python3 producer.py JOB URL... (QUEUE_URL is an output of the stack)."""
import json, os, sys
import boto3

job, urls = sys.argv[1], sys.argv[2:]
sqs = boto3.client("sqs")
for first in range(0, len(urls), 100):
    images = [{"id": f"{first + index}", "url": url} for index, url in enumerate(urls[first : first + 100])]
    body = json.dumps({"v": 1, "job": job, "attempt": 1, "images": images})
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=body, MessageGroupId=job)
