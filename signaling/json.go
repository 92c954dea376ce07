package signaling

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

var errNotOneValue = errors.New("signaling: not one JSON value of valid UTF-8")

// decodeStrict reads one JSON value without unknown fields. No data at all is read as {}.
func decodeStrict(data []byte, into any) error {
	if len(data) == 0 {
		data = []byte("{}")
	}
	if !utf8.Valid(data) {
		return errNotOneValue
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errNotOneValue
	}
	return nil
}

// encode is for our own types, which always encode.
func encode(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic("signaling: " + err.Error())
	}
	return data
}
