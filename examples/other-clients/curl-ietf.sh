# Sends $FILE in one request of the IETF's draft, and prints the upload's URL.
curl -sSf -X POST "$URL/uploads" -T "$FILE" -o /dev/null -D - -H "Authorization: Bearer $TOKEN" \
  -H "Upload-Complete: ?1" -H "Content-Type: video/mp4" |
  tr -d '\r' | sed -n 's/^location: //Ip'
