import { Icon } from '../ui/Icon';
import type { IconName } from '../ui/icons';

interface Props {
  icon: IconName;
  label: string;
  onPress: () => void;
  /** something is off that is usually on */
  off?: boolean;
  kind?: 'end' | 'on' | undefined;
  test?: string;
  count?: number;
  title?: string;
  expanded?: boolean;
}

/** A round button of the call bar with its label under it. */
export function CallButton({
  icon,
  label,
  onPress,
  off,
  kind,
  test,
  count,
  title,
  expanded,
}: Props) {
  return (
    <button
      type="button"
      class={`call-button ${kind ?? ''} ${off === true ? 'off' : ''}`}
      data-testid={test}
      title={title}
      aria-expanded={expanded}
      onClick={onPress}
    >
      <span class="call-disc">
        <Icon name={icon} />
        {count !== undefined && count > 0 && <span class="call-count">{count}</span>}
      </span>
      <span class="call-label">{label}</span>
    </button>
  );
}
