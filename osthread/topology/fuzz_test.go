package topology

import "testing"

// Parse returns an error, or a set that String writes and Parse reads again.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "0", "0-3,8", " 1,2 ", "0-31:2/8", "3-1", "-1", "65535", "65536", "0-65535:1/2", "1:2/0", "0-7:9/8",
		"18446744073709551616", ",", "1,,2", "0-7:0/1", "0x1", "1-", "\x00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			if !s.IsEmpty() {
				t.Errorf("Parse(%q) returned %v and %v", text, s, err)
			}
			return
		}
		again, err := Parse(s.String())
		if err != nil || !again.Equal(s) || !Of(s.List()...).Equal(s) || s.Len() != len(s.List()) {
			t.Errorf("Parse(%q) is %v, and then %v, %v", text, s, again, err)
		}
	})
}
