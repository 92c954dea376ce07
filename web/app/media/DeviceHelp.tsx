import type { Controls } from '../state/controls';
import type { DeviceTrouble } from '../state/devices';
import { Button } from '../ui/Button';
import { Copy } from '../ui/Copy';
import { Notice } from '../ui/Notice';
import { deviceWords } from '../words/devices';

interface Props {
  trouble: DeviceTrouble;
  controls: Controls;
  /** the link to open elsewhere; only where the page still knows it */
  link?: string | undefined;
  onClose?: () => void;
}

/** What is wrong with camera or microphone, how to mend it, and the way on without. */
export function DeviceHelp({ trouble, controls, link, onClose }: Props) {
  return (
    <Notice kind="warning" role="alert" test="error" code={trouble.code}>
      <strong>{trouble.title}</strong>
      <p>{trouble.text}</p>
      {trouble.steps.length > 0 && (
        <details class="how">
          <summary>{deviceWords.how}</summary>
          <ol class="steps">
            {trouble.steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
          <p class="note quiet">
            {deviceWords.details}: {trouble.code}
          </p>
        </details>
      )}
      <span class="row">
        <Button icon="reload" onPress={() => void controls.tryAgain()}>
          {deviceWords.tryAgain}
        </Button>
        {trouble.code === 'in_app' && link !== undefined && (
          <Copy text={link} label={deviceWords.copyLink} done={deviceWords.copied} />
        )}
        {onClose !== undefined && (
          <Button kind="plain" onPress={onClose}>
            {deviceWords.close}
          </Button>
        )}
      </span>
    </Notice>
  );
}
