export type Row = [figure: string, value: string, goal: string];

export const perSecond = (value: number): string => `${value.toFixed(1)} tokens/s`;
export const percent = (value: number): string => `${(value * 100).toFixed(0)} %`;
export const times = (value: number): string => `${value.toFixed(2)} x`;
