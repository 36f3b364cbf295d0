"""The usual Python worker: boto3, requests with a thread pool, Pillow in draft mode, TensorFlow in batches of 32.

Reads image URLs from SQS until the queue is empty, and writes a JSON line an image to S3, a file a message. Its
arguments come as JSON on the first line of standard input; it says `ready` when the model is warm, waits for a second
line, and prints what it took as JSON.
"""

import concurrent.futures
import io
import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import boto3
import numpy as np
import requests
import tensorflow as tf
from PIL import Image
from requests.adapters import HTTPAdapter

BATCH = 32
FETCHES_AT_ONCE = 32
SIZE = 224
CROP = 224 / 256
TOP_K = 5

settings = json.loads(sys.stdin.readline())
labels = open(settings["labels"], encoding="utf-8").read().splitlines()
model = tf.saved_model.load(settings["model"])
infer = model.signatures["serving_default"]
[input_name] = infer.structured_input_signature[1]
[output_name] = infer.structured_outputs
client_options = {
    "endpoint_url": settings["endpoint"],
    "region_name": "us-east-1",
    "aws_access_key_id": settings["accessKeyId"],
    "aws_secret_access_key": settings["secretAccessKey"],
}
sqs = boto3.client("sqs", **client_options)
s3 = boto3.client("s3", **client_options)
session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=FETCHES_AT_ONCE))


def fetch(url):
    response = session.get(url, timeout=10)
    response.raise_for_status()
    return response.content


def decode(content):
    with Image.open(io.BytesIO(content)) as picture:
        # Lets libjpeg shrink while it decodes; no smaller than what is needed afterwards.
        picture.draft("RGB", (256, 256))
        side = min(picture.size) * CROP
        left, top = (picture.width - side) / 2, (picture.height - side) / 2
        box = (left, top, left + side, top + side)
        return np.asarray(picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=box))


def fetch_and_decode(url):
    return decode(fetch(url))


def best(scores):
    top = np.argpartition(scores, -TOP_K)[-TOP_K:]
    return [(int(at), float(scores[at])) for at in top[np.argsort(scores[top])[::-1]]]


def predict(pictures):
    return infer(**{input_name: tf.constant(np.stack(pictures))})[output_name].numpy()


def work_through(images, pool):
    """Decodes ahead while TensorFlow, which releases the interpreter, works on a batch."""
    pictures = pool.map(fetch_and_decode, [image["url"] for image in images])
    lines, batch = [], []
    for image, picture in zip(images, pictures):
        batch.append((image, picture))
        if len(batch) == BATCH:
            lines += classify(batch)
            batch = []
    if batch:
        lines += classify(batch)
    return lines


def classify(batch):
    scores = predict([picture for _, picture in batch])
    return [line(image, best(row)) for (image, _), row in zip(batch, scores)]


def line(image, top):
    found = [{"label": labels[at], "score": score, "classId": at} for at, score in top]
    return json.dumps({"id": image["id"], "url": image["url"], "labels": found})


def run():
    classified = 0
    with concurrent.futures.ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
        while True:
            received = sqs.receive_message(QueueUrl=settings["queue"], MaxNumberOfMessages=10, WaitTimeSeconds=0)
            messages = received.get("Messages", [])
            if not messages:
                return classified
            for message in messages:
                images = json.loads(message["Body"])["images"]
                body = "\n".join(work_through(images, pool)).encode()
                s3.put_object(Bucket=settings["bucket"], Key=f"python/{message['MessageId']}.jsonl", Body=body)
                classified += len(images)
            entries = [{"Id": str(at), "ReceiptHandle": m["ReceiptHandle"]} for at, m in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=settings["queue"], Entries=entries)


predict([np.zeros((SIZE, SIZE, 3), np.uint8)] * BATCH)
print("ready", flush=True)
sys.stdin.readline()
started = time.perf_counter()
images = run()
print(json.dumps({"images": images, "seconds": time.perf_counter() - started}), flush=True)
