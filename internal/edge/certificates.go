package edge

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// certificateCheck is how often the files are looked at, at most.
const certificateCheck = time.Minute

// Certificates returns a function for tls.Config.GetCertificate that serves the certificate in two PEM files and,
// within a minute of a change, the one that has replaced it. Files that cannot be read later on, or that do not fit
// together because only one has been written yet, leave the last good certificate in use and are logged; logger may
// be nil. It fails if there is no good certificate to begin with.
func Certificates(certFile, keyFile string, logger *zap.Logger) (
	func(*tls.ClientHelloInfo) (*tls.Certificate, error), error,
) {
	if logger == nil {
		logger = zap.NewNop()
	}
	f := &certificateFiles{cert: certFile, key: keyFile, log: logger, began: time.Now()}
	if err := f.load(); err != nil {
		return nil, err
	}
	f.next.Store(int64(certificateCheck))
	return f.get, nil
}

type certificateFiles struct {
	cert, key string
	log       *zap.Logger
	current   atomic.Pointer[loaded]
	began     time.Time    // with the monotonic clock, since the other may be set back
	next      atomic.Int64 // when to look at the files again, time.Duration since began; who moves it on does so
}

type loaded struct {
	certificate *tls.Certificate
	changed     [2]time.Time // modification times of the two files
}

func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	now := int64(time.Since(f.began))
	if due := f.next.Load(); now >= due && f.next.CompareAndSwap(due, now+int64(certificateCheck)) {
		if err := f.load(); err != nil {
			f.log.Warn("edge_certificate_kept", zap.Error(err))
		}
	}
	return f.current.Load().certificate, nil
}

// load reads the files if they have changed. The times are taken first: a file written in between is read again.
func (f *certificateFiles) load() error {
	var changed [2]time.Time
	for i, name := range []string{f.cert, f.key} {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("edge: certificate: %w", err)
		}
		changed[i] = info.ModTime()
	}
	if old := f.current.Load(); old != nil && old.changed == changed {
		return nil
	}
	c, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("edge: certificate: %w", err)
	}
	f.current.Store(&loaded{certificate: &c, changed: changed})
	return nil
}
