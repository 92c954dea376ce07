/**
 * A camera and a microphone for measuring: files that Chromium plays as its capture devices, outside
 * the page. A canvas as in the tests would stop filming while the page draws itself.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const width = 320;
const height = 240;
const framesPerSecond = 30;
const seconds = 2;

/** Frames of YUV 4:2:0 behind their header (yuv4mpeg): a soft picture in which something moves. */
function film() {
  const parts = [
    Buffer.from(`YUV4MPEG2 W${width} H${height} F${framesPerSecond}:1 Ip A1:1 C420jpeg\n`),
  ];
  for (let n = 0; n < framesPerSecond * seconds; n += 1) {
    const turn = (2 * Math.PI * n) / (framesPerSecond * seconds);
    const [x0, y0] = [width / 2 + 60 * Math.cos(turn), height / 2 + 20 * Math.sin(turn)];
    const luma = Buffer.alloc(width * height, 0);
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const inside = Math.hypot(x - x0, 1.2 * (y - y0)) < 60;
        const texture = 8 * Math.sin(x / 5) * Math.cos(y / 7);
        luma[y * width + x] = (inside ? 170 : 60 + y / 4) + texture;
      }
    }
    const chroma = Buffer.alloc((width * height) / 2, 120);
    parts.push(Buffer.from('FRAME\n'), luma, chroma);
  }
  return Buffer.concat(parts);
}

/** A tone without end, as 16-bit PCM (RIFF WAVE). */
function tone() {
  const rate = 48_000;
  const samples = rate * seconds;
  const wav = Buffer.alloc(44 + 2 * samples);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + 2 * samples, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20); // PCM
  wav.writeUInt16LE(1, 22); // channels
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(2 * rate, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(2 * samples, 40);
  for (let n = 0; n < samples; n += 1) {
    wav.writeInt16LE(Math.round(6000 * Math.sin((2 * Math.PI * 600 * n) / rate)), 44 + 2 * n);
  }
  return wav;
}

/** Writes the files. @returns flags for Chromium, and what removes the files */
export async function captureFiles() {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-bench-'));
  const [picture, sound] = [join(folder, 'camera.y4m'), join(folder, 'microphone.wav')];
  await writeFile(picture, film());
  await writeFile(sound, tone());
  return {
    args: [
      `--use-file-for-fake-video-capture=${picture}`,
      `--use-file-for-fake-audio-capture=${sound}`,
      '--autoplay-policy=no-user-gesture-required',
    ],
    remove: () => rm(folder, { recursive: true }),
  };
}
