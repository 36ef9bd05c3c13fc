// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/tillmend/tillmend/internal/capture"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
)

type decodeCmd struct {
	File    string `arg:"" default:"-" help:"Hex, binary or a capture; - is standard input."`
	Dialect string `placeholder:"NAME" help:"How the messages are written: a shipped dialect or a YAML file. Found out when left out."`
	Explain bool   `help:"Say in words what is odd about each message."`
}

// Help is printed below the flags.
func (decodeCmd) Help() string {
	return `Examples:
  echo 003C600000973360220000000008000020000000C00012... | tillmend decode
  tillmend decode --explain --dialect upos frames.hex
  tillmend -o json decode monday.pcap | jq .mti

Shipped dialects: ` + strings.Join(dialect.Names(), ", ") + `.
Card numbers show their first six and last four digits; secret fields show only that they are there.

Exit code: 0 when every message was read whole, 1 when one was not, 2 when the input cannot be read.`
}

// Run decodes the input.
func (c *decodeCmd) Run(all *cli, std *streams) error {
	known, err := c.known()
	if err != nil {
		return err
	}
	in, name := std.in, "standard input"
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return usageError{err}
		}
		defer f.Close() //nolint:errcheck // only read
		in, name = f, c.File
	}
	wrong, n := false, 0
	for input, err := range capture.DecodeInput(in, name) {
		if err != nil {
			return usageError{err}
		}
		n++
		sound, err := c.one(all, std, input, known)
		if err != nil {
			return err
		}
		wrong = wrong || !sound
	}
	if n == 0 {
		return usageError{errors.New(name + ": nothing to decode")}
	}
	if wrong {
		return errWrong
	}
	return nil
}

// known gives the dialects to try: the one that was named, or all shipped ones.
func (c *decodeCmd) known() ([]*dialect.Dialect, error) {
	names := dialect.Names()
	if c.Dialect != "" {
		names = []string{c.Dialect}
	}
	var list []*dialect.Dialect
	for _, name := range names {
		d, err := dialectOf(name)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// dialectOf gives a shipped dialect by its name, or one from a YAML file.
func dialectOf(name string) (*dialect.Dialect, error) {
	if d, ok := dialect.Named(name); ok {
		return d, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, usageError{fmt.Errorf("dialect %q is none of %s, and no file: %w", name, strings.Join(dialect.Names(), ", "), err)}
	}
	defer f.Close() //nolint:errcheck // only read
	const maxDialect = 1 << 20
	d, err := dialect.Load(io.LimitReader(f, maxDialect), name)
	if err != nil {
		return nil, usageError{err}
	}
	return d, nil
}

// one decodes one frame and prints it; sound is false if it was not read whole.
func (c *decodeCmd) one(all *cli, std *streams, in capture.Input, known []*dialect.Dialect) (sound bool, err error) {
	found := iso8583.Detect(in.Bytes, known)
	use := known[0]
	if fit, ok := found.Best(); ok {
		use = fit.Dialect
	}
	var m iso8583.Message
	sound = m.Decode(use, in.Bytes)
	v := m.View()
	if all.Output == "json" {
		return sound, json.NewEncoder(std.out).Encode(v)
	}
	std.sayf("%s  %s  %d bytes  %s\n", in.Place, v.MTI, len(in.Bytes), v.Dialect)
	if v.Frame.TPDU != "" {
		std.sayf("  TPDU %s  header %s\n", v.Frame.TPDU, v.Frame.Header)
	}
	for de := range m.Fields {
		zh, en := iso8583.FieldName(de)
		title := zh
		if all.Lang == "en" {
			title = en
		}
		std.sayf("  %3d  %s  %s\n", de, v.Fields[strconv.Itoa(de)], title)
	}
	if bad := m.Malformed(); bad != nil {
		std.sayf("  malformed: %v\n", bad)
		std.sayf("  %v\n", iso8583.Describe(in.Bytes))
	}
	if c.Explain {
		c.explain(all, std, &m, &found)
	}
	std.say()
	return sound, nil
}

// explain says what is odd about a message, and why other ways of reading it do
// not fit.
func (c *decodeCmd) explain(all *cli, std *streams, m *iso8583.Message, found *iso8583.Detection) {
	odd := oddities(m)
	if text := found.Ambiguous(); text != "" {
		odd = append(odd, knowledge.Text{ZH: text, EN: text})
	}
	if len(found.Fits) == 0 {
		for _, f := range found.Failed[:min(len(found.Failed), 3)] {
			odd = append(odd, knowledge.Text{ZH: f.Dialect + "：" + f.Reason, EN: f.Dialect + ": " + f.Reason})
		}
	}
	if len(odd) == 0 {
		odd = []knowledge.Text{{ZH: "没有发现异常", EN: "nothing odd"}}
	}
	for _, t := range odd {
		std.sayf("  ! %s\n", t.In(all.Lang))
	}
}

// oddities says what a sound message tells of trouble.
func oddities(m *iso8583.Message) []knowledge.Text {
	var list []knowledge.Text
	add := func(is bool, zh, en string) {
		if is {
			list = append(list, knowledge.Text{ZH: zh, EN: en})
		}
	}
	var x iso8583.Extract
	m.Extract(&x)
	order := m.HostOrder()
	add(order == 3, "主机在报文头里要求终端重新签到", "the host asks in the header for a sign-in")
	add(order != 0 && order != 3, fmt.Sprintf("主机在报文头里要求终端办事（处理要求 %d）", order),
		fmt.Sprintf("the host asks the terminal in the header for something (order %d)", order))
	add(m.TestMode(), "报文头写着测试或练习状态", "the header says test or training")
	reversal := x.MTI == 0x0400
	add(reversal && m.Text(39) == "98", "终端自己说：没收到应答，所以冲正", "the terminal itself says: no answer came, so it reverses")
	add(reversal && m.Text(39) == "A0", "终端自己说：应答的校验不对，所以冲正", "the terminal itself says: the answer's MAC was wrong, so it reverses")
	add(x.MTI == 0x0510 && max(x.Totals[0].Result, x.Totals[1].Result) > 1, "对账不平：48 域说的，应答码看不出来",
		"the totals differ: field 48 says so, the response code does not")
	add(x.HasTrack && !x.TrackEncrypted, "磁道信息没有加密", "track data is not encrypted")
	return list
}
