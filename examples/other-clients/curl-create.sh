# Makes an upload of $FILE by tus, and prints its URL.
length=$(wc -c < "$FILE" | tr -d ' ')
name=$(basename "$FILE" | tr -d '\n' | base64 | tr -d '\n')
curl -sSf -X POST "$URL/uploads" -o /dev/null -D - -H "Authorization: Bearer $TOKEN" \
  -H "Tus-Resumable: 1.0.0" -H "Upload-Length: $length" \
  -H "Upload-Metadata: filename $name,filetype $(printf video/mp4 | base64)" |
  tr -d '\r' | sed -n 's/^location: //Ip'
