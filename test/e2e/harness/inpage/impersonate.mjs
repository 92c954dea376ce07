/**
 * Runs in a page before its scripts. Camera and microphone become a person of the test: a picture
 * that carries the person's number and a running count in black and white cells, and a tone of their
 * own. Encoder, network and decoder stay real. The code is at the foot of the picture:
 *
 *     row 1: number, and the number inverted    8 cells each
 *     row 2: count, and the count inverted
 *
 * With `grain` the picture is as hard to encode as that of a poor camera, so that it takes all the bits it may.
 *
 * @param {{ number: number, hertz: number, framesPerSecond: number, grain?: boolean }} person
 */
export function impersonate({ number, hertz, framesPerSecond, grain = false }) {
  const width = 320;
  const height = 240;
  const cell = 20;
  const devices = navigator.mediaDevices;
  if (!devices) return;

  /** @param {CanvasRenderingContext2D} paper */
  const portrait = (paper, /** @type {number} */ count) => {
    const hue = (number * 67) % 360;
    const light = paper.createLinearGradient(0, 0, 0, height);
    light.addColorStop(0, `hsl(${hue} 45% 72%)`);
    light.addColorStop(1, `hsl(${hue} 45% 40%)`);
    paper.fillStyle = light;
    paper.fillRect(0, 0, width, height);
    const sway = 4 * Math.sin(count / 10);
    paper.fillStyle = `hsl(${(hue + 180) % 360} 30% 30%)`;
    paper.beginPath();
    paper.ellipse(width / 2 + sway, height + 10, 90, 95, 0, 0, 2 * Math.PI);
    paper.fill();
    paper.fillStyle = 'hsl(28 45% 70%)';
    paper.beginPath();
    paper.ellipse(width / 2 + sway, 98, 40, 50, 0, 0, 2 * Math.PI);
    paper.fill();
  };

  const speckles = () => {
    const sheet = new OffscreenCanvas(2 * width, 2 * height);
    const paper = /** @type {OffscreenCanvasRenderingContext2D} */ (sheet.getContext('2d'));
    for (let y = 0; y < sheet.height; y += 4) {
      for (let x = 0; x < sheet.width; x += 4) {
        paper.fillStyle = `rgb(0 0 0 / ${Math.random() / 12})`;
        paper.fillRect(x, y, 4, 4);
      }
    }
    return sheet;
  };

  /** @param {CanvasRenderingContext2D} paper */
  const code = (paper, /** @type {number} */ count) => {
    [number, count & 0xff].forEach((byte, row) => {
      const bits = (byte << 8) | (~byte & 0xff);
      for (let i = 0; i < 16; i += 1) {
        paper.fillStyle = bits & (0x8000 >> i) ? '#fff' : '#000';
        paper.fillRect(i * cell, height - (2 - row) * cell, cell, cell);
      }
    });
  };

  const film = () => {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const paper = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    let count = 0;
    const sheet = grain ? speckles() : undefined;
    const draw = () => {
      count += 1;
      portrait(paper, count);
      if (sheet) paper.drawImage(sheet, -width * Math.random(), -height * Math.random());
      code(paper, count);
    };
    draw();
    const [track] = canvas.captureStream(framesPerSecond).getVideoTracks();
    const ticking = setInterval(() => {
      if (track?.readyState === 'live') draw();
      else clearInterval(ticking);
    }, 1000 / framesPerSecond);
    return track;
  };

  /** @type {AudioContext | undefined} */
  let context;
  const hum = () => {
    context ??= new AudioContext();
    void context.resume();
    const tone = new OscillatorNode(context, { frequency: hertz });
    const out = context.createMediaStreamDestination();
    tone.connect(new GainNode(context, { gain: 0.2 })).connect(out);
    tone.start();
    return out.stream.getAudioTracks()[0];
  };

  devices.getUserMedia = async (wish) => {
    const tracks = [wish?.audio && hum(), wish?.video && film()];
    return new MediaStream(tracks.filter((track) => track instanceof MediaStreamTrack));
  };
}
