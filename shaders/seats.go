package shaders

import (
	"fmt"
	"strings"
)

// seated is the text of a kernel whose programs lie side by side: P, C and each of its arenas begin, for a work group, where those of the
// program do that its z names. Lines stay what they are.
func seated(text string, arenas int) string {
	names := []string{"P", "C"}
	for i := range arenas {
		names = append(names, fmt.Sprintf("A%d", i))
	}
	declared, set := fmt.Sprintf(" uniform uint Z[%d]; uint seat", 1+len(names)), "seat = Z[0] + gl_WorkGroupID.z;" // the first seat, then the words of one
	for i, n := range names {
		declared += ", of" + n
		set += fmt.Sprintf(" of%s = seat * Z[%d];", n, 1+i)
	}
	text = strings.Replace(offset(text), ") in;\n", ") in;"+declared+";\n", 1)
	return strings.Replace(text, "void main() {\n", "void main() { "+set+"\n", 1)
}

// offset adds the beginnings of arrays to their indices.
func offset(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && isWord(text[end]) {
			end++
		}
		if end == i {
			b.WriteByte(text[i])
			i++
			continue
		}
		name := text[i:end]
		b.WriteString(name)
		i = end
		if !moves(name) || i+1 >= len(text) || text[i] != '[' || text[i+1] == ']' {
			continue
		}
		depth, close := 0, i
		for ; close < len(text); close++ {
			if text[close] == '[' {
				depth++
			} else if text[close] == ']' {
				if depth--; depth == 0 {
					break
				}
			}
		}
		b.WriteString("[of" + name + " + (" + offset(text[i+1:close]) + ")]")
		i = close + 1
	}
	return b.String()
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// moves says that an array is another for each program.
func moves(name string) bool {
	return name == "P" || name == "C" || len(name) > 1 && name[0] == 'A' && strings.Trim(name[1:], "0123456789") == ""
}
