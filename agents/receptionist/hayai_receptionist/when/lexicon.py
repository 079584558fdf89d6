"""The words of appointment talk: other spellings, weekdays, months, and words that look like time but are not."""
# ruff: noqa: SIM905 - words in a row read better than a column of quoted ones

from __future__ import annotations

WEEKDAYS = {
    name: n
    for n, name in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    )
}
MONTHS = {
    name: n
    for n, name in enumerate(
        "january february march april may june july august september october november december".split(),
        start=1,
    )
}


def _spelled(table: dict[str, str]) -> dict[str, str]:
    return {word: canonical for canonical, words in table.items() for word in words.split()}


ALIASES = _spelled(
    {
        "monday": "mon mond",
        "tuesday": "tue tues tu",
        "wednesday": "wed weds wedn wensday wednsday wendsday wedensday",
        "thursday": "thu thur thurs",
        "friday": "fri",
        "saturday": "sat satur",
        "sunday": "sun",
        "january": "jan",
        "february": "feb febuary febr",
        "march": "mar",
        "april": "apr",
        "june": "jun",
        "july": "jul",
        "august": "aug",
        "september": "sep sept",
        "october": "oct",
        "november": "nov",
        "december": "dec",
        "tomorrow": "tmrw tmr tmw tmrrw tomo tomoro tommorow tommorrow tomorrows tommorw tomoz tmoz tomorra tmoro tmro tmrow tomor tomorro 2moro 2morrow 2mrw",
        "today": "2day tdy",
        "tonight": "tonite 2nite 2night",
        "night": "nite nights",
        "morning": "mornings morn am's forenoon forenoons mrng morng",
        "afternoon": "afternoons arvo aft",
        "evening": "evenings eve's",
        "weekend": "wknd wkend",
        "weekends": "wknds",
        "weekday": "workday",
        "weekdays": "workdays",
        "week": "weeks wk wks",
        "month": "months mth mths",
        "year": "years yr yrs",
        "day": "days",
        "hour": "hours hr hrs",
        "minute": "minutes min mins",
        "fortnight": "fortnights",
        "until": "til till 'til untill",
        "through": "thru",
        "before": "b4 bfore",
        "about": "abt",
        "around": "arnd",
        "next": "nxt",
        "noon": "midday noontime",
        "lunch": "lunchtime lunchbreak",
        "o'clock": "oclock o'clocks",
        "mid": "middle",
        "onward": "onwards",
        "anytime": "whenever",
        "asap": "a.s.a.p soonest",
        "christmas": "xmas",
        "fourth": "forth",
        "and": "&",
        "at": "@",
        "to": "–",
    },
)
"""Canonical word for another spelling. Shortened and misspelled, but never another word of the language."""

NOT_TYPOS = frozenset(
    "sundae sundry mourning moaning toady todays octobers leaving someday sunnyday mondayish thirsty weekly "
    "monthly yesterdays noon evenings mornings afternoons mondays tuesdays wednesdays thursdays fridays saturdays "
    "sundays afternoon marched decembers even ending weekdays weekends".split(),
)
"""Words one letter from a time word that are words of their own."""

FUZZY = (*WEEKDAYS, "january", "february", "august", "september", "october", "november", "december")
SHORT_MONTHS = ("march", "june", "july", "april")
FUZZY_WORDS = ("tomorrow", "afternoon", "morning", "evening", "weekend", "tonight", "yesterday", "thanksgiving")

NAME_MONTHS = frozenset("march april may june august jan mar jun aug sep dec nov oct apr jul".split())
WEAK_DAYS = frozenset("sat sun mon wed tu".split())
STRONG_SHORT = frozenset("mon wed".split())
"""Of these, those that are hardly ever anything but a day."""
WEDDING = frozenset("to get getting got be newly were are you".split())
"""Before "wed" these make it a marriage."""

"""Words that are a month or weekday only when their neighbours say so."""

UNITS = frozenset("minute hour day week month year fortnight second seconds".split())
COUNTED = UNITS | frozenset(
    "kid kids child children people person persons adult adults patient patients tooth teeth cleaning cleanings "
    "filling fillings crown crowns cavity cavities implant implants appointment appointments slot slots session "
    "sessions visit visits time times dollar dollars bucks euro euros pound pounds percent yo mile miles minutes "
    "bathroom bathrooms bedroom bedrooms room rooms window windows door doors unit units syringe syringes vial vials "
    "area areas spot spots question questions thing things option options treatment treatments massage massages "
    "guest guests friend friends daughter daughters son sons brother sisters sister brothers dog dogs cat cats "
    "street st avenue ave road rd lane ln drive blvd boulevard floor sqft sq square feet foot ft inch inches x more "
    "other others different separate extra teenage little small big new grams mg ml cc am's stars star hrs".split(),
)
"""After one of these a number counts things and is no hour."""

STREETS = frozenset("street st ave avenue road rd lane ln drive blvd boulevard highway hwy court ct".split())
"""A number shortly before one of these is a house number."""

PHRASAL = frozenset("come comes coming came stop stopping drop swing pop pass".split())
"""Verbs that take "by" to themselves: "come by tomorrow" sets no deadline."""

HAPPENED = frozenset(
    "started began happened broke fell lost chipped noticed woke called came was cracked saw went visited spoke "
    "texted emailed bled swelled slipped missed knocked smashed stopped hurt ached crashed leaked burst phoned rang "
    "snapped cut twisted sprained gave told been bought moved arrived ate spilled spilt scratched dropped "
    "quit went took ate bit blew brought built burnt caught drew drove felt found flew forgot heard knew made met "
    "paid ran sent sank shook slept spent split stole stood stuck swelled threw tore threw understood wrote won froze "
    "was were failed died banged bumped hit tripped rained cancelled canceled finished ended grew appeared".split(),
)
"""Verbs that make a time before the wish a piece of history."""

LABELS = frozenset(
    "number no. # tooth teeth room suite unit apt apartment option chair code zip ext extension "
    "box age aged level stage floor step version of.them id ref reference pin order invoice".split(),
)
"""Before a number these make it a label."""

TITLES = frozenset("dr doctor mr mrs ms miss madam sir prof professor nurse named called name aunt uncle".split())
SHORTENED = frozenset(ALIASES) | TITLES | frozenset("st ave rd no appt approx min hr".split())
PRONOUNS = frozenset("i we he she they you who just had have never always it i've they've".split())

FOLLOWERS = frozenset(
    "please pls thanks thank if is are was would works work will be ok okay fine good great best better for on or and "
    "but to until with in the this that tomorrow today tonight sharp exactly suits suit too also instead "
    "possible then so maybe perhaps preferably ideally because since as my i i'm i'd we he she can could should do "
    "does it any at by from not no yes yeah sounds seems ish onward also when latest earliest only free "
    "except excluding unless bar ex excl saving minus besides apart im ill id we're tho though lol x xx k ta cheers well either both whichever instead pref rly "
    "except excluding unless other prox proximo inst instant next first available open clock o oclock suits really rather hopefully still already taken".split(),
)
"""Words that may stand after a bare hour without making it a count of something."""

NEAR_TIME = frozenset(
    "+ day week month year hour minute last first next half part end start beginning early late later earlier too "
    "before after by until past within second third other than weekend weekday o clock ish fortnight between "
    "through during hence onward except every previous following since minus plus mid".split(),
)
"""Words that, left over right beside a time, may have changed its meaning."""

TIMELIKE = frozenset(
    "am pm o'clock quarter past ago every alternate biweekly fortnightly weekly monthly daily spring summer autumn "
    "winter hourly midweek semester term quarterly sunrise sunset dawn dusk hundred overmorrow penultimate easter ramadan "
    "hanukkah diwali passover".split(),
)
"""Words about time that the grammar does not read by themselves: left over, they are a doubt."""
