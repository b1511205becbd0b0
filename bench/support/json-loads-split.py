"""The usual splitter: json.loads a line, a set of ids, 50,000 lines a file."""

import json
import os
import sys

source, folder = sys.argv[1], sys.argv[2]
seen = set()
part = None
with open(source, "rb") as lines:
    for number, line in enumerate(lines):
        if number % 50_000 == 0:
            if part:
                part.close()
            part = open(os.path.join(folder, f"part-{number // 50_000:06d}.jsonl"), "wb")
        request = json.loads(line)
        if request["custom_id"] in seen:
            sys.exit(f"line {number + 1}: duplicate custom_id")
        seen.add(request["custom_id"])
        part.write(line)
if part:
    part.close()
