package main

import (
	"strings"
	"testing"
	"time"
)

func TestProgressOnATerminal(t *testing.T) {
	var b strings.Builder
	now := time.Unix(0, 0)
	p := newProgress(&b, terminal{live: true, width: 100}, false)
	p.now = func() time.Time { return now }
	p.step(0, 10000)
	if b.Len() != 0 {
		t.Errorf("a bar before anything is known: %q", b.String())
	}
	now = now.Add(2 * time.Second)
	p.step(5000, 10000)
	if s := b.String(); !strings.Contains(s, " 50 %") || !strings.Contains(s, "2.5 k steps/s") || !strings.Contains(s, "2 s left") || !strings.Contains(s, strings.Repeat("█", 15)+" ") {
		t.Errorf("%q", s)
	}
	b.Reset()
	now = now.Add(10 * time.Millisecond)
	p.step(5050, 10000)
	if b.Len() != 0 {
		t.Errorf("too often: %q", b.String())
	}
	p.clear()
	p.clear()
	if b.String() != "\r\x1b[K" {
		t.Errorf("clear writes %q", b.String())
	}
	// A narrow terminal gets no bar, and never a second line.
	b.Reset()
	p.term.width = 30
	now = now.Add(time.Second)
	p.step(9000, 10000)
	if s := strings.TrimSuffix(strings.TrimPrefix(b.String(), "\r"), "\x1b[K"); len(s) >= 30 || s == "" {
		t.Errorf("%q", s)
	}
}

func TestProgressElsewhere(t *testing.T) {
	var b strings.Builder
	now := time.Unix(0, 0)
	p := newProgress(&b, terminal{width: 80}, false)
	p.now = func() time.Time { return now }
	for k := range int64(36000) { // an hour, ten calls a second
		p.step(k, 36000)
		now = now.Add(100 * time.Millisecond)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) < 10 || len(lines) > 60 {
		t.Errorf("%d lines in an hour", len(lines))
	}
	if !strings.HasPrefix(lines[0], "synfire: 0 %  step 50 of 36,000, 10 steps/s, 59 min 5") || strings.ContainsAny(b.String(), "\r\x1b█") {
		t.Errorf("%q", lines[0])
	}
	b.Reset()
	p = newProgress(&b, terminal{live: true, width: 80}, true)
	p.step(0, 10)
	now = now.Add(time.Hour)
	p.step(5, 10)
	p.clear()
	if b.Len() != 0 {
		t.Errorf("quiet writes %q", b.String())
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		duration(0.00045): "0.45 ms", duration(0.045): "45 ms", duration(3.214): "3.21 s", duration(125): "2 min 05 s",
		duration(3725): "1 h 02 min", duration(-1): "0 s", duration(1): "1 s", duration(1e-4): "0.1 ms",
		count(7): "7", count(320134): "320,134", count(-1234567): "-1,234,567",
		short(1_781_000): "1.78 M", short(999.6): "1 k", short(12): "12", bytes(51_200_000): "51.2 MB",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
