package edge

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// pair makes a self-signed certificate with a serial number to know it by.
func pair(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// put writes a file with a modification time of its own.
func put(t *testing.T, name string, content []byte, modified int64) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, time.Time{}, time.Unix(modified, 0)); err != nil {
		t.Fatal(err)
	}
}

func serial(t *testing.T, get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) int64 {
	t.Helper()
	c, err := get(nil)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf.SerialNumber.Int64()
}

//nolint:forbidigo // its sleeps are in a synctest bubble
func TestCertificates_Renewed_ServedWithinAMinute(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	cert1, key1 := pair(t, 1)
	cert2, key2 := pair(t, 2)
	put(t, certFile, cert1, 100)
	put(t, keyFile, key1, 100)
	synctest.Test(t, func(t *testing.T) {
		get, err := Certificates(certFile, keyFile, nil)
		if err != nil {
			t.Fatal(err)
		}
		expect := func(when string, want int64) {
			t.Helper()
			if got := serial(t, get); got != want {
				t.Errorf("%s: certificate %d, want %d", when, got, want)
			}
		}
		expect("at first", 1)

		put(t, certFile, cert2, 200)
		time.Sleep(certificateCheck - time.Second)
		expect("before the minute", 1)
		time.Sleep(2 * time.Second)
		expect("while only half is written", 1)

		put(t, keyFile, key2, 200)
		time.Sleep(certificateCheck)
		expect("renewed", 2)

		put(t, certFile, []byte("rubbish"), 300)
		time.Sleep(certificateCheck)
		expect("with a broken file", 2)
		if err := os.Remove(certFile); err != nil {
			t.Fatal(err)
		}
		time.Sleep(certificateCheck)
		expect("without a file", 2)

		put(t, certFile, cert1, 400)
		put(t, keyFile, key1, 400)
		time.Sleep(certificateCheck)
		expect("repaired", 1)
	})
}

func TestCertificates_NoneToBeginWith_Refused(t *testing.T) {
	if _, err := Certificates("no such file", "nor this", nil); err == nil {
		t.Error("taken")
	}
}
