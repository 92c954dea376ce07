import type { Controls } from '../state/controls';
import { stageWords } from '../words/stage';
import { CallButton } from './CallButton';

/** Microphone, camera and flip: the same on the preview, in the visit and for staff. */
export function OwnButtons({ controls, flip = true }: { controls: Controls; flip?: boolean }) {
  const microphone = controls.microphone.value;
  const camera = controls.camera.value;
  return (
    <>
      <CallButton
        icon={microphone ? 'microphone' : 'microphoneOff'}
        label={microphone ? stageWords.mute : stageWords.unmute}
        off={!microphone}
        test="mute"
        onPress={controls.toggleMicrophone}
      />
      <CallButton
        icon={camera ? 'camera' : 'cameraOff'}
        label={camera ? stageWords.cameraOff : stageWords.cameraOn}
        off={!camera}
        test="camera"
        onPress={controls.toggleCamera}
      />
      {flip && controls.canFlip.value && (
        <CallButton
          icon="flip"
          label={stageWords.flip}
          title={stageWords.flipLong}
          onPress={controls.flip}
        />
      )}
    </>
  );
}
