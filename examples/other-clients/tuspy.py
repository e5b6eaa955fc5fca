# tuspy.py URL TOKEN FILE: sends a file, and goes on where an earlier run stopped.
import os
import sys

from tusclient import client
from tusclient.storage import filestorage

url, token, path = sys.argv[1:]
server = client.TusClient(url + "/uploads", headers={"Authorization": "Bearer " + token})
upload = server.uploader(
    path,
    # A chunk is in memory as a whole, and is sent again as a whole after a cut.
    chunk_size=8 * 1024 * 1024,
    metadata={"filename": os.path.basename(path), "filetype": "video/mp4"},
    retries=5,
    retry_delay=1,
    store_url=True,
    url_storage=filestorage.FileStorage("uploads.json"),
)
upload.upload()
print(upload.url)
