package integration

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// tab is a page that comes back by itself when its connection ends, as real ones do: on a busy machine it may be silent for too long.
type tab struct {
	*client.Client
	stop context.CancelFunc
	kept sync.WaitGroup

	connecting sync.Mutex // held by whoever connects or cuts
}

// newTab connects a page and keeps it connected until it is left.
func newTab(ctx context.Context, page *client.Client) (*tab, error) {
	t := &tab{Client: page}
	if err := t.Connect(ctx); err != nil {
		page.Close()
		return nil, err
	}
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	t.stop = stop
	t.kept.Go(func() { t.keep(keeping) })
	return t, nil
}

// keep ends with the context, or when the server says not to come back.
func (t *tab) keep(ctx context.Context) {
	beat := time.NewTicker(lookAgain)
	defer beat.Stop()
	for {
		code, err := t.WaitClosed(ctx)
		if err != nil || code >= wire.CloseTakenOver && code <= wire.CloseBadMessage {
			return
		}
		t.connecting.Lock()
		if !t.Connected() && ctx.Err() == nil {
			err = t.Connect(ctx)
		}
		t.connecting.Unlock()
		if client.Code(err) != "" { // refused: the visit is over
			return
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
			return
		}
	}
}

// cut is a network that is lost and found at once.
func (t *tab) cut(ctx context.Context) error {
	t.connecting.Lock()
	defer t.connecting.Unlock()
	t.Cut()
	return t.Connect(ctx)
}

// close is a tab that is closed.
func (t *tab) close() {
	t.stop()
	t.kept.Wait()
	t.Close()
}

// persist asks for something that is not repeated by itself until it is done over one connection.
func persist(ctx context.Context, ask func() error) error {
	beat := time.NewTicker(lookAgain)
	defer beat.Stop()
	for {
		err := ask()
		if !errors.Is(err, client.ErrDisconnected) {
			return err
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
			return err
		}
	}
}

// media is the tab's media connection, when it is up.
func (t *tab) media(ctx context.Context) (p *client.Peer, err error) {
	err = persist(ctx, func() error {
		p, err = t.Media(ctx)
		return err
	})
	return p, err
}
