import { podTemplate } from '../describe/pod.ts';
import { DescribeWriter } from '../describe/writer.ts';
import type { Obj } from '../util/object.ts';

class PlainWriter extends DescribeWriter {
  text = '';

  override write(level: number, text: string): void {
    this.text += '  '.repeat(level) + text;
  }

  override flush(): void {
    // Nothing to align.
  }

  override toString(): string {
    return this.text;
  }
}

/** describe.DescribePodTemplate into a plain buffer: tabs stay tabs. */
export function podTemplateText(template: Obj): string {
  const writer = new PlainWriter();
  podTemplate(writer, template);
  return writer.toString();
}
