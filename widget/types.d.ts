/** What Kommo gives us and what our backend answers, as far as the widget reads it. */

export type Amount = { amount: string; currency: string };

export type PaymentRequest = Amount & {
  id: string;
  url: string;
  state: string;
  description: string;
  mode: string;
  kind: string;
  created_at: string;
  expires_at?: string | null;
  due_on?: string | null;
  valid_until?: string | null;
  created_by?: string | number | null;
  opened?: boolean;
  contact_id?: number | null;
};

/** Of the deal, as Kommo's page tells it; what is not known is empty. */
export type Contact = { id: number; name: string; phone: string; email: string };

export type Payment = Amount & {
  id: string;
  state: string;
  paid_at: string | null;
  refunded: string | null;
  disputed: string | null;
  request_id?: string | null;
  stripe_url?: string | null;
};

/** `coming`: the next message to the client about each link; `past`: what became of earlier ones, newest first. */
export type Reminders = {
  stopped: boolean;
  coming: { request_id: string; step: string; channel: string; at: string }[];
  past?: { request_id: string; step: string; state: string; reason: string; at: string; by: number }[];
};

/** A link that was sent to the client, or is to be; `by` is a user, `rule` what sent it where no person did. */
export type Sending = {
  id: string;
  request_id: string;
  at: string;
  text: string;
  by?: number | null;
  rule?: string | null;
};

/** `GET /widget/requests/{id}/sending`: by which way the link would go now. */
export type SendingPreview = { channel: 'bot' | 'chat' | 'task'; name?: string; message?: string };

/** `GET /widget/deals/{lead_id}`. What has a question mark may be missing. */
export type Deal = {
  state: string;
  paid: Amount[];
  expected: Amount[];
  open: Amount[];
  requests: PaymentRequest[];
  payments: Payment[];
  explanation?: string | null;
  currency?: string | null;
  account_currency?: string | null;
  mode?: 'test' | 'live' | null;
  test_tag?: string | null;
  connected?: boolean;
  may?: { create?: boolean; refund?: boolean; payments?: boolean } | null;
  log?: string[];
  statement_url?: string | null;
  reminders?: Reminders | null;
  new_dates?: { today: string; due_on: string | null; valid_until: string | null } | null;
  sendings?: Sending[];
};

export type FormValues = {
  kind: 'full' | 'deposit' | 'rest' | 'subscription';
  amount: string;
  currency: string;
  description: string;
  total: string;
  percent: string;
  interval: string;
  intervalCount: string;
  dueOn: string;
  validUntil: string;
};

export type Words = (key: string, values?: Record<string, string>) => string;

export type Xhr = { status: number; responseText?: string; getAllResponseHeaders(): string };

export type Deferred = {
  then(onSuccess: (data: string, status?: string, xhr?: Xhr) => void, onFailure: (xhr: Xhr) => void): unknown;
};

/** The object that Kommo extends with its own methods before it is constructed, and fills after. */
export type KommoWidget = {
  callbacks: {
    render(): boolean;
    init(): boolean;
    bind_actions(): boolean;
    settings($body: ArrayLike<Element>): boolean;
    advancedSettings(): boolean;
    dpSettings(): boolean;
    salesbotDesignerSettings($body: ArrayLike<Element>): { exits: { code: string; title: string }[] };
    onSalesbotDesignerSave(step: string, params: Record<string, string>): string;
    onSave(): boolean;
    leads: { selected(): void };
    destroy(): void;
  };
  i18n(group: string): Record<string, string> | undefined;
  get_settings(): Record<string, unknown> & { widget_code: string };
  render_template(block: { caption: { class_name: string }; body: string; render: string }): void;
  get_current_card_contacts_data?: () => Promise<unknown>;
  list_selected?: () => { selected: { id: number | string; type?: string }[] } | undefined;
  $authorizedAjax?: (options: Record<string, unknown>) => Deferred;
};

export type KommoCard = { id: number | string; model?: { attributes?: Record<string, unknown> } };

export type KommoApp = {
  lang_id: string;
  data: { current_card?: KommoCard | false | null };
  constant(name: 'account'): { id?: number | string; timezone?: string } | undefined;
  constant(name: 'user'): { id?: number | string } | undefined;
  constant(name: 'user_rights'): { is_admin?: boolean } | undefined;
  constant(name: 'managers'): Record<string, { title?: string } | undefined> | undefined;
};

/** What `widget build` knows and the sources do not. */
export type Build = {
  backend: string;
  version: string;
  api: number;
  style: string;
  currencies: Record<string, number>;
};

declare global {
  /** Kommo's loader of AMD modules, by which the built script gives its widget. */
  function define(needs: string[], factory: () => unknown): void;
  const APP: KommoApp;
}
