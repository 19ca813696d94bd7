-- What:    a date in any supported format, rewritten as 2/28/2016,15:50:00, or Feb/28/2016,03:50:00,PM.
-- Grain:   none: an expression that replaces calls of READ_PLAIN_DATE in other statements.
-- Columns: the expression, over `value`. The result has a comma only if the text is a date.
-- From the inside out: whitespace, commas and a spreadsheet's ="..."; 28.2.2016, whose dots mean that the day is first;
-- 2016-02-28, 2016 Feb 28 and 20160228; 2/28/16; 28-Feb-16 and 28FEB2016:15:50; February 28, 2016; times with or without
-- seconds, fractions, p.m., Chicago's UTC offset or the false UTC of BigQuery's copy; at most two digits per part.
SELECT
  REGEXP_REPLACE(
    REGEXP_REPLACE(
      REGEXP_REPLACE(
        REGEXP_REPLACE(
          REGEXP_REPLACE(
            REGEXP_REPLACE(
              REGEXP_REPLACE(
                TRIM(REGEXP_REPLACE(value, r'[\s\pZ,="]+', ' '), ' '),
                r'^(\d\d?)\.(\d\d?)\.(?:20)?(\d\d)( |$)', r'\2/\1/20\3\4'
              ),
              r'^([12]\d{3})(?:[-/ ](\d+|[A-Za-z]{3})[a-z]*[-/ ](\d+)|(\d\d)(\d\d))(?:[ T]|$)', r'\2\4/\3\5/\1 '
            ),
            r'^(\d\d?)[-/](\d\d?)[-/](\d\d)( |$)', r'\1/\2/20\3\4'
          ),
          r'^(\d+)[- ]?([A-Za-z]{3})[a-z]*[-. ]*(?:20)?(\d\d)(?:[ :]|$)', r'\2/\1/20\3 '
        ),
        r'^([A-Za-z]{3})[a-z]*[-. ]+(\d+)[- ](?:20)?(\d\d)( |$)', r'\1/\2/20\3\4'
      ),
      r'^(\d+|[A-Za-z]{3})[-/](\d+)[-/]([12]\d{3})(?: (\d+):(\d+)(?::([0-5]?\d)(?:\.\d*)?)?(?: ?([AaPp])\.?([Mm])\.?)?'
      || r'(?: ?(?:Z|UTC|(?:[+]00|-0[56])(?::?00)?))?)? ?$',
      r'\1/\2/\3,0\4:0\5:0\6,\7\8'
    ),
    r'([,:])0(\d\d)', r'\1\2'
  ) AS read_plain_date
