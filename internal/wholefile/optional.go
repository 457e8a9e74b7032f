package wholefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
)

// mark ends the files that Optional writes, so that it removes no others.
const mark = "\n<!-- Rashomon writes or removes this file with the page that it belongs to. -->\n"

// Optional is Write for an HTML file that only some results have. If write is nil, it removes
// the file of an earlier result, lest it be taken for one of this: only a file that Optional
// has written, and nobody else's.
func Optional(path string, write func(io.Writer) error) error {
	if write == nil {
		return removeOurs(path)
	}
	return Write(path, func(w io.Writer) error {
		if err := write(w); err != nil {
			return err
		}
		_, err := io.WriteString(w, mark)
		return err
	})
}

func removeOurs(path string) error {
	switch ours, err := marked(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil || !ours:
		return err
	}
	return os.Remove(path)
}

// marked says whether a file ends with the mark. What is no regular file does not.
func marked(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() < int64(len(mark)) {
		return false, err
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var end strings.Builder
	_, err = io.Copy(&end, io.NewSectionReader(f, info.Size()-int64(len(mark)), int64(len(mark))))
	return end.String() == mark, err
}
