// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"crypto/cipher"
	"crypto/des"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Lengths of keys and what goes with them, in bytes.
const (
	masterKeySize   = 16
	pinKeySize      = 16
	macKeySize      = 8
	checkValueSize  = 4
	workingKeysSize = pinKeySize + checkValueSize + macKeySize + 8 + checkValueSize
)

// TestMasterKey is the master key that a host with AutoRegister gives a terminal it
// has not met. It is derived from the terminal number alone, so it protects nothing.
func TestMasterKey(tid string) []byte {
	sum := sha256.Sum256([]byte("tillmend simulator master key " + tid))
	return sum[:masterKeySize]
}

// workingKeys are the session keys of a terminal: for PIN blocks and for MACs.
type workingKeys struct {
	pin []byte // 16 bytes
	mac []byte // 8 bytes
}

// newWorkingKeys derives the keys of a terminal's nth sign-in.
func newWorkingKeys(seed uint64, tid string, n uint32) workingKeys {
	text := binary.BigEndian.AppendUint64([]byte("tillmend simulator working keys "+tid), seed)
	sum := sha256.Sum256(binary.BigEndian.AppendUint32(text, n))
	return workingKeys{pin: sum[:pinKeySize], mac: sum[pinKeySize : pinKeySize+macKeySize]}
}

// wrap gives the keys as field 62 of a sign-in answer carries them: each encrypted
// under the master key and followed by its check value. The single-length MAC key is
// filled up to double length.
func (k workingKeys) wrap(master []byte) []byte {
	out := encrypt(master, k.pin)
	out = append(out, checkValue(k.pin)...)
	out = append(out, encrypt(master, k.mac)...)
	out = append(out, make([]byte, pinKeySize-macKeySize)...)
	return append(out, checkValue(k.mac)...)
}

var (
	errKeyLength  = fmt.Errorf("working keys: expected %d bytes", workingKeysSize)
	errCheckValue = errors.New("working keys: check value differs: other master key")
)

// unwrapKeys is the inverse of wrap. When check values differ the keys are given
// with errCheckValue, for a terminal that does not care.
func unwrapKeys(master, field []byte) (workingKeys, error) {
	if len(field) != workingKeysSize {
		return workingKeys{}, errKeyLength
	}
	const macAt = pinKeySize + checkValueSize
	k := workingKeys{pin: decrypt(master, field[:pinKeySize]), mac: decrypt(master, field[macAt:macAt+macKeySize])}
	pinValue, macValue := field[pinKeySize:macAt], field[workingKeysSize-checkValueSize:]
	if !bytes.Equal(checkValue(k.pin), pinValue) || !bytes.Equal(checkValue(k.mac), macValue) {
		return k, errCheckValue
	}
	return k, nil
}

// checkValue is the beginning of eight zero bytes encrypted under the key.
func checkValue(key []byte) []byte { return encrypt(key, make([]byte, des.BlockSize))[:checkValueSize] }

// block gives DES for a key of 8 bytes and triple DES for one of 16.
func block(key []byte) cipher.Block {
	if len(key) == masterKeySize {
		key = append(append([]byte(nil), key...), key[:des.BlockSize]...)
		c, err := des.NewTripleDESCipher(key)
		if err != nil {
			panic(err) // unreachable: the key has 24 bytes
		}
		return c
	}
	c, err := des.NewCipher(key)
	if err != nil {
		panic(err) // unreachable: keys have 8 or 16 bytes, held by their makers
	}
	return c
}

// encrypt gives data, a multiple of eight bytes, block by block under the key.
func encrypt(key, data []byte) []byte {
	c, out := block(key), make([]byte, len(data))
	for i := 0; i < len(data); i += des.BlockSize {
		c.Encrypt(out[i:], data[i:i+des.BlockSize])
	}
	return out
}

// decrypt is the inverse of encrypt.
func decrypt(key, data []byte) []byte {
	c, out := block(key), make([]byte, len(data))
	for i := 0; i < len(data); i += des.BlockSize {
		c.Decrypt(out[i:], data[i:i+des.BlockSize])
	}
	return out
}

// messageMAC authenticates a message from its type to the field before the MAC: all blocks
// are folded into one, its hexadecimal form is encrypted in two steps, and the first
// eight hexadecimal characters of the result are the MAC.
func messageMAC(key, message []byte) []byte {
	var fold [des.BlockSize]byte
	for i, c := range message {
		fold[i%des.BlockSize] ^= c
	}
	text := []byte(strings.ToUpper(hex.EncodeToString(fold[:])))
	first := encrypt(key, text[:des.BlockSize])
	subtle.XORBytes(first, first, text[des.BlockSize:])
	return []byte(strings.ToUpper(hex.EncodeToString(encrypt(key, first))))[:des.BlockSize]
}

// pinBlock is the PIN tied to the card number (ISO 9564 format 0), encrypted.
func pinBlock(key []byte, pin, pan string) []byte {
	return encrypt(key, clearPINBlock(pin, pan))
}

func clearPINBlock(pin, pan string) []byte {
	text := fmt.Sprintf("%02d%s", len(pin), pin)
	text += strings.Repeat("F", 2*des.BlockSize-len(text))
	out, err := hex.DecodeString(text)
	if err != nil {
		panic("sim: PIN is not of digits") // unreachable: PINs come from the table of cards
	}
	digits, err := hex.DecodeString("0000" + pan[len(pan)-13:len(pan)-1])
	if err != nil {
		panic("sim: card number is not of digits") // unreachable: likewise
	}
	subtle.XORBytes(out, out, digits)
	return out
}

// pinMatches tells whether the encrypted block holds this PIN for this card.
func pinMatches(key, encrypted []byte, pin, pan string) bool {
	return len(encrypted) == des.BlockSize && bytes.Equal(decrypt(key, encrypted), clearPINBlock(pin, pan))
}
