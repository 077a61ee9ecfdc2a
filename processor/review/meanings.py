"""What names of fields mean, in English, German, French and Spanish, and the rule that a meaning asks for.

The first row that fits decides, so what must never leave comes first. In `words`, alternatives are separated
by commas, a space may be there or not (`birth date` fits `birthdate`), `*` stands for the rest of a word, `=`
before an alternative asks for the whole name. Accents and case do not matter.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

GROUPS: Final = {
    "thing": "The record itself",
    "who": "Whose data it is",
    "narrow": "What narrows down who it was",
    "card": "Cards and accounts",
    "text": "Free text, the place where people write what they were asked not to",
    "closed": "What nobody needs to see: secrets, what must not be known, housekeeping",
    "decide": "To decide: closed until somebody opens it here",
}
"""The groups of a draft, in their order, and their titles."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a field with one of these names is, and what becomes of it."""

    name: str
    group: str
    rule: str
    """As the policy writes it; or the name of a check that the values have to pass first."""
    words: str
    advice: str = ""
    """What else could be written. A field with advice is left to decide."""


CLIENT: Final = (
    "customer, client, user, member, patient, person, subscriber, employee, passenger, guest, driver, "
    "account, owner, holder, payer, debtor, creditor, consumer, buyer, student, "
    "kunde, kunden, benutzer, nutzer, mitglied, konto, mitarbeiter, versicherten, patienten, "
    "utilisateur, abonne, membre, compte, salarie, adherent, "
    "cliente, usuario, miembro, cuenta, paciente, empleado, abonado"
)
"""Words for a person, the likeliest to say whose data a record is first."""
_CLIENT: Final = CLIENT.replace(", ", "|")
_NUMBER: Final = "id|no|nr|num|number|nummer|numero|key|ref|reference|code|uuid|guid|identifier|kennung"

MEANINGS: Final = (
    # ── Never leaves ───────────────────────────────────────────────────────────────────────────────────────
    Meaning(
        "verification code of a card",
        "card",
        "{action: drop, class: authentication_data}",
        "cvv*, cvc*, csc, card verification *, security code, =pin, pin block, pin code, track data, "
        "track 1, track 2, prufnummer, kartenprufnummer, sicherheitscode, cryptogramme, code de securite, "
        "codigo de seguridad",
    ),
    Meaning(
        "time to live",
        "closed",
        "drop",
        "expires at, expire at, expires on, ttl, time to live, purge at, delete after, expires, expireat",
    ),
    Meaning(
        "another form of a card number",
        "card",
        "{action: drop, class: pan}",
        "card hash, card fingerprint, card token, pan hash, hashed pan, pan token",
    ),
    Meaning(
        "card number",
        "card",
        '{action: mask, keep_last: 4, keep: " -", class: pan}',
        "card number, card no, card num, card nr, =pan, credit card, debit card, cc number, cc num, "
        "kartennummer, kreditkarte*, numero de carte, numero de la carte, carte bancaire, numero de "
        "tarjeta, numero de la tarjeta, tarjeta de credito",
    ),
    Meaning(
        "expiry of a card or document",
        "card",
        "{action: drop, class: quasi}",
        "expiry *, expiration *, expiry, expiration, exp month, exp year, exp date, valid thru, valid "
        "until, gultig bis, ablaufdatum, verfall*, date d expiration, caducidad, vencimiento",
    ),
    Meaning(
        "device",
        "who",
        "{action: pseudonymize, class: network}",
        "device, device id, device identifier, device uuid, device fingerprint, imei, imsi, idfa, idfv, "
        "gaid, advertising id, android id, mac address, visitor id, browser id, gerate id, geratenummer, "
        "geratekennung, id appareil, id de l appareil, id dispositivo, id del dispositivo",
    ),
    Meaning(
        "secret",
        "closed",
        "{action: drop, class: secret}",
        "password*, passwd, passphrase, passwort*, kennwort*, mot de passe, contrasena*, clave, secret*, "
        "geheim*, secreto, api key, private key, access key, *token*, bearer, jwt, session*, cookie*, "
        "signature*, signatur, unterschrift, firma, firma digital, credential*, otp, salt, *hash",
    ),
    Meaning(
        "biometric",
        "closed",
        "{action: drop, class: biometric}",
        "photo*, portrait, selfie, face*, fingerprint*, voice*, iris, biometr*, foto, passbild, "
        "fingerabdruck*, stimme, empreinte*, huella*, retina",
    ),
    Meaning(
        "what must not be known about a person",
        "closed",
        "{action: drop, class: sensitive}",
        "diagnos*, disease*, illness*, icd, icd 10, medication*, medikament*, medicament*, allerg*, blood "
        "type, blood group, blutgruppe, disab*, behinder*, handicap*, pregnan*, schwanger*, religio*, "
        "konfession, ethnic*, ethnie, race, political*, politisch*, union member*, trade union, "
        "gewerkschaft*, syndicat, sindicato, sexual*, sexuel*, hiv, krankheit*, maladie*, enfermedad*, "
        "sante, salud, gesundheit*, health*, criminal*, conviction*, vorstrafe*, lab result*, symptom*, "
        "therap*, treatment, behandlung",
    ),
    Meaning(
        "number that a state gives a person",
        "who",
        "{action: redact, class: national_id}",
        "ssn, social security *, sozialversicherung*, =nir, securite sociale, seguridad social, =nif, "
        "dni, nie, passport*, reisepass*, pasaporte*, passeport*, personalausweis*, ausweis*, national "
        "id*, tax id*, steuer id*, steuernummer, =tin, itin, numero fiscal, driver license*, drivers "
        "license*, driver licence*, driving licence*, license number, fuhrerschein*, permis de conduire, "
        "permiso, nino, national insurance *, pesel, aadhaar, cpf, nhs number, medicare *, mbi, npi, "
        "codice fiscale, curp, bsn, abn, tfn, nric",
    ),
    # ── Names one person ───────────────────────────────────────────────────────────────────────────────────
    Meaning(
        "e-mail address",
        "who",
        "{action: tokenize, normalize: email, class: identifier}",
        "e mail*, mail, mail address, mailadresse, correo*, courriel*, adresse e mail, adresse mail",
    ),
    Meaning(
        "telephone number",
        "who",
        "{action: pseudonymize, normalize: digits, class: identifier}",
        "phone*, *phone, mobile, mobile number, mobile no, cell, cell number, tel, tel no, telephone*, "
        "telefon*, handy*, rufnummer, mobil, mobilnummer, portable, movil, celular, fax*, msisdn, "
        "whatsapp*",
    ),
    Meaning(
        "account number",
        "card",
        "{action: pseudonymize, normalize: lower, class: identifier}",
        "iban, account number, account no, account nr, acct no, kontonummer, bankverbindung, numero de "
        "compte, numero de cuenta, rib",
    ),
    Meaning(
        "name to log in with",
        "who",
        "{action: pseudonymize, normalize: lower, class: identifier}",
        "user name, login, login name, benutzername, nom d utilisateur, nombre de usuario, nick name, handle",
    ),
    Meaning(
        "place of birth",
        "narrow",
        "{action: drop, class: place}",
        "birth place, place of birth, geburtsort, lieu de naissance, lugar de nacimiento",
    ),
    Meaning(
        "name of a thing",
        "decide",
        "form",
        "product name, item name, article name, artikelname, merchant name, shop name, store name, brand "
        "name, category name, event name, file name, host name, server name, service name, table name, "
        "queue name, plan name, campaign name, template name, bank name, model name, role name, nombre "
        "del producto, nom du produit, produktname, terminal name, network name, channel name",
    ),
    Meaning(
        "name of a person",
        "who",
        "{action: redact, class: identifier}",
        "name, names, * name, surname, forename, *vorname, *nachname, familienname, *name, prenom, nom, "
        "nom de *, nombre, apellido*, card holder, account holder, holder, *inhaber, titulaire, titular, "
        "recipient, empfanger, destinataire, destinatario, beneficiary, beneficiario, beneficiaire, "
        "payee, =contact, contact person, ansprechpartner*, signatory, name first, name last, name middle, "
        "name given, name family, initials",
    ),
    # ── Narrows down who it was ────────────────────────────────────────────────────────────────────────────
    Meaning(
        "date of birth",
        "narrow",
        "{action: generalize, to: year, top: 89, class: birth_date}",
        "birth, birth date, birth day, birth year, year of birth, date of birth, dob, born, born on, born "
        "at, geburt*, geb datum, naissance, date naissance, date de naissance, annee de naissance, "
        "nacimiento, fecha nacimiento, fecha de nacimiento, data di nascita, geboortedatum",
    ),
    Meaning(
        "age",
        "decide",
        "{action: redact, class: age}",
        "age, alter, lebensalter, edad",
        "an age narrows down who it was: leave it out, or keep it if `policy preview` shows large groups",
    ),
    Meaning(
        "IP address",
        "narrow",
        "{action: truncate, v4: 24, v6: 48, class: network}",
        "ip, ip v4, ip v6, ip address, ip addr, client ip, source ip, remote addr, remote address, "
        "adresse ip, ip adresse, direccion ip",
    ),
    Meaning(
        "user agent",
        "decide",
        "{action: redact, class: network}",
        "user agent, browser, ua",
        "a user agent is a trace of a device: keep it only if it is no more than the browser's family",
    ),
    Meaning(
        "coordinates",
        "narrow",
        "{action: drop, class: place}",
        "lat, latitude, lon, lng, long, longitude, geo*, coordinates, coords, gps*, breitengrad, "
        "langengrad, koordinaten, latitud, longitud, coordenadas, coordonnees, location, standort, "
        "ubicacion",
    ),
    Meaning(
        "postcode",
        "narrow",
        "{action: generalize, to: zip3, class: postcode}",
        "post code, postal code, postal, zip, zip code, plz, postleitzahl, code postal, codigo postal, cp",
    ),
    Meaning(
        "place",
        "narrow",
        "{action: drop, class: place}",
        "street*, address*, addr, house no, house number, apartment, flat, city, town, village, county, "
        "district, municipality, suburb, *strasse, hausnummer, anschrift, adresse*, ort, *wohnort, stadt, "
        "gemeinde, landkreis, rue, ville, commune, departement, calle, direccion*, ciudad, municipio, "
        "localidad, poblacion, provincia, barrio",
    ),
    Meaning(
        "country or state",
        "narrow",
        "codes",
        "country*, nation, land, landercode, pays, pais, bundesland, region, kanton, canton, province, "
        "address state, state code, comunidad autonoma",
    ),
    Meaning(
        "what narrows down who it was",
        "decide",
        "{action: redact, class: quasi}",
        "sex, gender, geschlecht, sexe, sexo, genero, salutation, anrede, civilite, marital*, "
        "familienstand, etat civil, estado civil, nationality, staatsangehorigkeit, nationalite, "
        "nacionalidad, job*, occupation, profession, beruf, employer, arbeitgeber, employeur, empleador, "
        "education, household*, children, kinder, enfants, hijos, income, salary, gehalt, einkommen, "
        "salaire, revenu, salario, ingresos, height, weight, groesse, gewicht, taille, poids, credit "
        "score",
        "keep it with class quasi if `policy preview` shows that groups stay large, or drop it",
    ),
    Meaning(
        "date in a person's life",
        "narrow",
        "{action: generalize, to: year, class: date}",
        "admission*, admitted*, discharge*, death*, deceased*, wedding*, marriage*, aufnahmedatum, "
        "entlassung*, sterbe*, todes*, hochzeit*, deces, mariage, fallecimiento, matrimonio, hired*, hire "
        "date, joined*, eintrittsdatum",
    ),
    # ── Says nothing about a person ────────────────────────────────────────────────────────────────────────
    Meaning(
        "what is bought",
        "thing",
        "codes of things",
        "sku, ean, gtin, upc, isbn, asin, product id, product code, product no, article id, article no, "
        "artikelnummer, item id, item code, variant id, produktnummer, mcc, merchant category*, codigo de "
        "producto, code produit, hs code",
    ),
    Meaning(
        "person",
        "who",
        "{action: pseudonymize, class: identifier}",
        ", ".join(
            [
                f"(?:{_CLIENT}) (?:{_NUMBER})",
                f"=(?:{_CLIENT})",
                f"(?:{_NUMBER}) (?:del? |du |de la |de l |d )?(?:{_CLIENT})",
                "uid, user, created by, updated by, modified by, erstellt von",
            ]
        ),
    ),
    Meaning(
        "when it happened",
        "thing",
        "moment",
        "created, created at, created on, create time, creation date, creation time, updated, updated at, "
        "modified, modified at, last modified, timestamp, =ts, =time, =date, date time, occurred at, "
        "event time, processed at, ordered at, order date, paid at, shipped at, booked at, sent at, "
        "received at, captured at, settled at, transaction date, transaction time, erstellt, erstellt am, "
        "angelegt am, geandert am, zeitstempel, =datum, buchungsdatum, cree le, date de creation, date "
        "creation, horodatage, fecha, fecha de creacion, fecha creacion, creado, creado en, actualizado",
    ),
    Meaning(
        "amount or measure",
        "thing",
        "amount",
        "amount*, price*, total*, subtotal, sum, fee*, tax, tax amount, vat, discount*, cost*, betrag, "
        "*betrag, preis*, *preis, summe, gebuhr*, rabatt, kosten, mwst, montant*, prix*, taxe, frais, "
        "remise, importe, monto, precio*, impuesto, descuento, quantity, qty, count, *count, menge, "
        "anzahl, quantite, cantidad, duration*, dauer, duree, duracion, rate, rating, position, index, "
        "size",
    ),
    Meaning(
        "code from a list",
        "thing",
        "codes",
        "status, state, type, *type, kind, category*, channel, currency*, method, mode, brand, network, "
        "level, tier, segment, flag*, tag*, label*, art, typ, kategorie, kanal, wahrung, devise, monnaie, "
        "moneda, divisa, canal, estado, statut, categorie, categoria, version, locale, source, origin, "
        "priority",
    ),
    Meaning(
        "free text",
        "text",
        "scrub",
        "note*, comment*, message*, remark*, description, memo, feedback, review*, reason*, body, "
        "subject, text, *text, bemerkung*, kommentar*, nachricht*, beschreibung, anmerkung*, hinweis*, "
        "betreff, grund, commentaire*, remarque*, nota, notas, comentario*, observacion*, mensaje*, "
        "descripcion, motivo, motif, instructions, request, question, answer",
    ),
    Meaning(
        "web address",
        "decide",
        "redact",
        "url, *url, uri, link*, href, web site, homepage, referrer, referer",
        "keep it if it names a page, not a person, and carries no key or token behind the `?`",
    ),
)

BY_ENTITY: Final = {
    "email": "e-mail address",
    "phone": "telephone number",
    "card": "card number",
    "iban": "account number",
    "ip": "IP address",
    "url": "web address",
    "gb_postcode": "postcode",
    "mac": "device",
    "crypto_wallet": "account number",
    "api_key": "secret",
    "private_key": "secret",
}
"""The meaning of a field whose values are recognised."""
TOLD_BY_NAME: Final = frozenset({"date", "birth_date"})
"""Entities that say little of a field: a name tells a date of birth from that of an order."""
ANY_OTHER_ENTITY: Final = "number that a state gives a person"


@lru_cache(maxsize=4_096)
def meaning_of(name: str, parent: str = "") -> Meaning | None:
    """What a field is by its name, and by that of the map which it is in, if the table knows."""
    above, own = words_of(parent), words_of(name)
    for pattern, meaning in _TABLE:
        if _fits(pattern, own) or (above and _fits(pattern, f"{above} {own}", len(above) + 1)):
            return meaning
    return None


def named(name: str) -> Meaning:
    """The meaning of a name in the table."""
    return next(meaning for meaning in MEANINGS if meaning.name == name)


def words_of(name: str) -> str:
    """A name as words in lower case without accents: `billingPostCode` and `BILLING_POST_CODE` are one."""
    split = re.sub(r"(?<=[^\W\d_])(?=\d)|(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    plain = unicodedata.normalize("NFKD", split.casefold())
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(re.findall(r"[^\W_]+", bare))


def _fits(pattern: re.Pattern[str], words: str, own: int = 0) -> bool:
    """Whether the words say so, at least partly in the name itself, which begins at `own`."""
    return any(match.end() > own for match in pattern.finditer(words))


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile("|".join(_alternative(one.strip()) for one in words.split(",")))


def _alternative(written: str) -> str:
    whole = written.startswith("=")
    body = written.lstrip("=")
    # "*" is the rest of a word, " " may be there or not; a group of alternatives is a pattern already.
    body = body.replace(" *", r" .+") if body.endswith(" *") else body
    body = re.sub(r"\*", r"\\w*", body)
    body = re.sub(r"(?<!\|) (?!\))", " ?", body) if "(?:" not in body else body.replace(") (", ") ?(")
    return rf"^{body}$" if whole else rf"\b{body}\b"


_TABLE: Final = tuple((_pattern(meaning.words), meaning) for meaning in MEANINGS)
