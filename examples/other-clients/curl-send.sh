# Sends of $FILE what the upload at $UPLOAD does not have yet. After a cut: the same again.
offset=$(curl -sSfI "$UPLOAD" -H "Authorization: Bearer $TOKEN" -H "Tus-Resumable: 1.0.0" |
  tr -d '\r' | sed -n 's/^upload-offset: //Ip')
tail -c "+$((offset + 1))" "$FILE" |
  curl -sSf -X PATCH "$UPLOAD" -T - -H "Authorization: Bearer $TOKEN" \
    -H "Tus-Resumable: 1.0.0" -H "Upload-Offset: $offset" \
    -H "Content-Type: application/offset+octet-stream"
