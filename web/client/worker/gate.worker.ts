/**
 * The page's one worker. It holds the gates, through which every encoded frame of this device has to
 * pass, and the metronomes, since timers tick evenly here in hidden pages too.
 */
import { frameFilter, type FromWorker, type GateOptions, type ToWorker } from './frames';

declare const self: DedicatedWorkerGlobalScope;

const open = new Set<number>();
const metronomes = new Map<number, ReturnType<typeof setInterval>>();

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  switch (data.tell) {
    case 'gate':
      if (data.open) open.add(data.gate);
      else open.delete(data.gate);
      return;
    case 'forget':
      open.delete(data.gate);
      return;
    case 'tick': {
      const { metronome, everyMS } = data;
      const ticked: FromWorker = { tell: 'ticked', metronome };
      metronomes.set(
        metronome,
        setInterval(() => self.postMessage(ticked), everyMS),
      );
      return;
    }
    case 'still':
      clearInterval(metronomes.get(data.metronome));
      metronomes.delete(data.metronome);
      return;
  }
});

self.addEventListener('rtctransform', ({ transformer }) => {
  const { gate, kind } = transformer.options as GateOptions;
  const passes = frameFilter(kind, () => open.has(gate));
  const filter = new TransformStream<RTCEncodedVideoFrame | RTCEncodedAudioFrame>({
    transform(frame, out) {
      if (passes('type' in frame ? frame.type : undefined)) out.enqueue(frame);
    },
  });
  // It ends with its sender, and a sender that ends aborts the stream: nothing to tell anybody.
  transformer.readable
    .pipeThrough(filter)
    .pipeTo(transformer.writable)
    .catch(() => undefined);
});

const ready: FromWorker = { tell: 'ready' };
self.postMessage(ready);
